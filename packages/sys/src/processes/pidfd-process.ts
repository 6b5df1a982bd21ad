import { readFileSync } from 'node:fs'

/**
 * The pid of a pidfd's process (proc_pid_fdinfo(5)): -1 once it has ended and been waited for.
 * @returns undefined for any other descriptor: pidfd_send_signal(2) also accepts the directory of a process in `/proc`
 */
export function pidfdProcess(fd: number): number | undefined {
  const pid = /^Pid:\t(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
  return pid === undefined ? undefined : Number(pid)
}
