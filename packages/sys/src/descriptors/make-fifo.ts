import { CFunction } from '../c-function.ts'

const mkfifo = new CFunction('int mkfifo(const char *path, uint mode)')

/** Makes a FIFO. @throws `already_exists`, `not_found` for its directory */
export function makeFifo(path: string, mode: number): void {
  mkfifo.callOrThrow(path, mode)
}
