import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import { type CgroupFiles, noLimit } from '../cgroup-files.ts'

/** Numbers of tasks, threads included; a limit of 0 is none. */
export async function pids(files: CgroupFiles): Promise<CgroupV1Metrics['pids']> {
  const current = await files.number('pids.current')
  if (current === undefined) return undefined
  const limit = (await files.number('pids.max')) ?? 0n
  return { current, limit: limit === noLimit ? 0n : limit }
}
