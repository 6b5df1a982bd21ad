import { open } from 'node:fs/promises'
import { fromSystemError, isErrno } from '@nsbox/errors'

/** Bytes of a command that are shown; a process can make its own as long as it likes. */
const commandBytes = 4096

/** More than what the kernel writes into `stat` and `status`. */
const recordBytes = 16 << 10

/** Units of the times in `stat`, in each second (proc_pid_stat(5); the kernel's interface has a fixed rate). */
const ticks = 100

/** A process, as the kernel of this host tells of it. */
export interface HostProcess {
  readonly pid: number
  readonly parent: number
  /** The effective user, as the host numbers it. */
  readonly uid: number
  /** Seconds of processors since its start. */
  readonly cpuSeconds: number
  /** Program and arguments, at most 4 KiB; the name in brackets where there are none. */
  readonly command: string
}

/** Reads about a process of this host. @returns undefined if there is none any more */
export async function hostProcess(pid: number): Promise<HostProcess | undefined> {
  try {
    const [stat, status, command] = await Promise.all([
      beginning(`/proc/${pid}/stat`, recordBytes),
      beginning(`/proc/${pid}/status`, recordBytes),
      beginning(`/proc/${pid}/cmdline`, commandBytes),
    ])
    return { pid, ...processOf(stat, status, command) }
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined
    throw fromSystemError(error, `process ${pid}`)
  }
}

/** Of the contents of the files of those names (proc_pid_stat(5), proc_pid_status(5), proc_pid_cmdline(5)). */
export function processOf(stat: string, status: string, cmdline: string): Omit<HostProcess, 'pid'> {
  // The name, which the process chooses, may have brackets and blanks in it.
  const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')]
  const fields = stat.slice(close + 2).split(' ')
  const [parent, userTicks, systemTicks] = [fields[1], fields[11], fields[12]]
  const [, uid] = /^Uid:\t\d+\t(\d+)/m.exec(status) ?? []
  const words = cmdline.replace(/\0+$/, '').replaceAll('\0', ' ')
  return {
    parent: Number(parent),
    uid: Number(uid),
    cpuSeconds: (Number(userTicks) + Number(systemTicks)) / ticks,
    command: words === '' ? `[${stat.slice(open + 1, close)}]` : words,
  }
}

async function beginning(path: string, bytes: number): Promise<string> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(bytes), position: 0 })
  return buffer.toString('utf8', 0, bytesRead)
}
