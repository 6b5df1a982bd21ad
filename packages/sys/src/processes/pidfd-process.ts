import { readFileSync } from 'node:fs'

/**
 * The number of the process that a pidfd stands for (proc_pid_fdinfo(5)): -1 once it has ended and been waited for.
 * @returns undefined for any other descriptor: signals also go where the directory of a process in `/proc` is given
 * (pidfd_send_signal(2))
 */
export function pidfdProcess(fd: number): number | undefined {
  const pid = /^Pid:\t(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
  return pid === undefined ? undefined : Number(pid)
}
