import { readFileSync } from 'node:fs'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'

/**
 * The cgroups of a process, by the names of their hierarchies: a controller such as `memory`, a name such as
 * `name=systemd`, or empty for the unified hierarchy. Paths are relative to the hierarchy's root.
 */
export type ProcessCgroups = ReadonlyMap<string, string>

/** Reads `/proc/<pid>/cgroup` (cgroups(7)). */
export function parseProcessCgroups(text: string): ProcessCgroups {
  const cgroups = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line)
    if (match === null) continue
    // `(deleted)`: the cgroup was removed while a zombie was in it.
    const path = match[2]!.replace(/ \(deleted\)$/, '')
    for (const name of match[1]!.split(',')) cgroups.set(name, path)
  }
  return cgroups
}

/** @throws not_found if there is no such process */
export function processCgroups(pid: number | 'self'): ProcessCgroups {
  try {
    return parseProcessCgroups(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))
  } catch (error) {
    // ESRCH: it has ended between opening and reading.
    if (isErrno(error, 'ESRCH')) throw new NsboxError('not_found', `process ${pid}`, { cause: error })
    throw fromSystemError(error, `cgroups of process ${pid}`)
  }
}

/** Whether a cgroup is another one or below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || ancestor === '/' || path.startsWith(`${ancestor}/`)
}
