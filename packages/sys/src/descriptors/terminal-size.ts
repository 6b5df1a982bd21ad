import { CFunction } from '../c-function.ts'

const TIOCGWINSZ = 0x5413
const TIOCSWINSZ = 0x5414

const ioctl = new CFunction('int ioctl(int fd, ulong request, void *argument)')

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly width: number
  readonly height: number
}

/** @throws with detail `errno` `ENOTTY` if the descriptor is no terminal */
export function terminalSize(fd: number): TerminalSize {
  const size = new Uint16Array(4)
  ioctl.callOrThrow(fd, TIOCGWINSZ, size)
  return { width: size[1]!, height: size[0]! }
}

/**
 * Sets the size of a terminal, by either side of it. Its foreground processes get SIGWINCH if that is a change. @throws
 * as `terminalSize`
 */
export function setTerminalSize(fd: number, { width, height }: TerminalSize): void {
  ioctl.callOrThrow(fd, TIOCSWINSZ, new Uint16Array([height, width, 0, 0]))
}
