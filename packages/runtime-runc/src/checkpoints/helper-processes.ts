import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { isErrno } from '@nsbox/errors'

/** A process that this process, or an earlier one, may have started. */
export interface HelperProcess {
  readonly pid: number
  /** The name of its program, at most 15 bytes, which the process can change. */
  readonly name: string
}

/** The pid namespace; a process has the same as long as it lives. */
let ownNamespace: string | undefined

/** How many processes are looked at before the event loop may run. */
const batch = 100

/**
 * Most bytes read of a command line. A process can make its own as long as its memory (`PR_SET_MM_MAP` in prctl(2));
 * those of runtimes are short.
 */
const maxCommandLine = 64 * 1024

/**
 * The processes of this host that may be helpers: those in the pid namespace of this process whose user ids are all its
 * own. Most containers have another namespace. Names and open files alone prove nothing (docs/threat-model.md E12).
 */
export async function* helperProcesses(): AsyncGenerator<HelperProcess> {
  let looked = 0
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    if (++looked % batch === 0) await setImmediate()
    const found = helperProcess(pid)
    if (found !== undefined) yield found
  }
}

/** A process, if it may be a helper now. */
export function helperProcess(pid: number): HelperProcess | undefined {
  return unlessGone(() => {
    ownNamespace ??= readlinkSync('/proc/self/ns/pid')
    if (readlinkSync(`/proc/${pid}/ns/pid`) !== ownNamespace) return undefined
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const ids = /^Uid:\t(.*)$/m.exec(status)?.[1]?.split('\t')
    if (ids === undefined || ids.some((id) => Number(id) !== process.geteuid?.())) return undefined
    // The kernel writes a line break in a name as two characters.
    return { pid, name: /^Name:\t(.*)$/m.exec(status)?.[1] ?? '' }
  }, undefined)
}

/** The beginning of a process's command line, with a NUL after each argument; empty for a process that has ended. */
export function commandLine(pid: number): string {
  return unlessGone(() => {
    const fd = openSync(`/proc/${pid}/cmdline`, 'r')
    try {
      const text = Buffer.alloc(maxCommandLine)
      return text.toString('utf8', 0, readSync(fd, text))
    } finally {
      closeSync(fd)
    }
  }, '')
}

/** Reads something of a process; `otherwise` if it has ended, or must not be read and so is no helper. */
export function unlessGone<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((errno) => isErrno(error, errno))) return otherwise
    throw error
  }
}
