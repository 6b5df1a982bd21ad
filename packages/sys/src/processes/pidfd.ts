import { constants } from 'node:os'
import { CFunction, littleEndian } from '../c-function.ts'

const { EINVAL, ENOTTY, ESRCH } = constants.errno

// _IOWR(0xff, 11, struct pidfd_info), with the first 64 bytes of the structure (Linux 6.13), of which the last four
// are the exit code (Linux 6.15).
const PIDFD_GET_INFO = 0xc040ff0b
const PIDFD_INFO_EXIT = 1n << 3n
const exitCode = 60

const open = new CFunction('long pidfd_open(int pid, uint flags)', { systemCall: 434 })
const sendSignal = new CFunction('long pidfd_send_signal(int fd, int signal, void *info, uint flags)', {
  systemCall: 424,
})
const ioctl = new CFunction('int ioctl(int fd, ulong request, void *argument)')

/**
 * A descriptor for a process, never for another one that gets its pid later (pidfd_open(2)). It is readable, by
 * poll(2), once the process has ended. It is closed on exec; the caller closes it.
 * @throws with detail `errno` `ESRCH` if there is no such process
 */
export function openPidfd(pid: number): number {
  return open.callOrThrow(pid, 0)
}

/**
 * Sends a signal to the process of a pidfd; 0 only checks whether there is one.
 * @returns whether there was a process to signal; an ended one counts until its parent has waited for it
 */
export function signalPidfd(fd: number, signal: number): boolean {
  const result = sendSignal.call(fd, signal, null, 0)
  if (result === -ESRCH) return false
  sendSignal.succeeded(result)
  return true
}

/**
 * The exit status of a pidfd's process, which need not be a child. Available once the parent has waited for the
 * process, from descriptors that were opened before (Linux 6.15 and later).
 *
 * @returns its exit status, or 128 plus the number of the signal that ended it; `pending` while the process runs or its
 * parent has not waited for it; `unknown` if the kernel does not give it
 */
export function pidfdExitStatus(fd: number): number | 'pending' | 'unknown' {
  const info = new BigUint64Array(8)
  info[0] = PIDFD_INFO_EXIT
  const result = ioctl.call(fd, PIDFD_GET_INFO, info)
  // The kernel does not know the request, or keeps no information on the process.
  if (result === -ENOTTY || result === -EINVAL || result === -ESRCH) return 'unknown'
  ioctl.succeeded(result)
  if ((info[0] & PIDFD_INFO_EXIT) === 0n) return signalPidfd(fd, 0) ? 'pending' : 'unknown'
  const waitStatus = new DataView(info.buffer).getInt32(exitCode, littleEndian)
  const signal = waitStatus & 0x7f
  return signal === 0 ? (waitStatus >> 8) & 0xff : 128 + signal
}
