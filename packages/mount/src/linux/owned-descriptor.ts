import { closeSync } from 'node:fs'

/** A descriptor that is closed when it is disposed of. */
export interface OwnedDescriptor extends Disposable {
  readonly fd: number
  /** A path that leads to the open file itself, even after it was renamed. */
  readonly path: string
}

/** Owns a descriptor. */
export function ownedDescriptor(fd: number): OwnedDescriptor {
  return {
    fd,
    path: `/proc/self/fd/${fd}`,
    [Symbol.dispose]() {
      closeSync(fd)
    },
  }
}
