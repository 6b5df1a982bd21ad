import { linuxFunction, succeeded } from '../linux-function.ts'

const mkfifo = linuxFunction('int mkfifo(const void *path, uint mode)')

/** Makes a FIFO. @throws `already_exists`, `not_found` for its directory */
export function makeFifo(path: string, mode: number): void {
  if (path.includes('\0')) throw new TypeError('a path holds a NUL')
  succeeded('mkfifo', mkfifo(Buffer.from(`${path}\0`), mode))
}
