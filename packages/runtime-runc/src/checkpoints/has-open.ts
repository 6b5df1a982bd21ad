import { readdirSync, readlinkSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/** Whether a process has a file open, or one in it if it is a directory; one that has ended has not. */
export function hasOpen(pid: number, paths: readonly string[]): boolean {
  return descriptors(pid).some((name) => {
    const target = unlessGone(() => readlinkSync(`/proc/${pid}/fd/${name}`), undefined)
    return paths.some((path) => target === path || target?.startsWith(`${path}/`))
  })
}

function descriptors(pid: number): string[] {
  return unlessGone(() => readdirSync(`/proc/${pid}/fd`), [])
}

/** What is read of a process, which may end, and close what it has open, at any time. */
function unlessGone<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return otherwise
    throw error
  }
}
