import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import { type CgroupFiles, noLimit } from '../cgroup-files.ts'

/** Numbers of tasks, threads included; a limit of 0 is none. */
export function pids(files: CgroupFiles): CgroupV1Metrics['pids'] {
  const current = files.number('pids.current')
  if (current === undefined) return undefined
  const limit = files.number('pids.max') ?? 0n
  return { current, limit: limit === noLimit ? 0n : limit }
}
