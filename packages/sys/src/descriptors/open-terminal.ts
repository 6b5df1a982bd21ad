import { closeSync, constants, openSync } from 'node:fs'
import { CFunction } from '../c-function.ts'

const TIOCGPTN = 0x80045430
const TIOCSPTLCK = 0x40045431

const ioctl = new CFunction('int ioctl(int fd, ulong request, void *argument)')

/** A new terminal (pty(7)). */
export interface OpenedTerminal {
  /** The controlling side. Non-blocking, and closed on exec; the caller closes it. */
  readonly fd: number
  /** The device for the programs in it. */
  readonly path: string
}

/** Makes a terminal. */
export function openTerminal(): OpenedTerminal {
  const fd = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  try {
    const number = new Uint32Array(1)
    ioctl.callOrThrow(fd, TIOCSPTLCK, number)
    ioctl.callOrThrow(fd, TIOCGPTN, number)
    return { fd, path: `/dev/pts/${number[0]}` }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
