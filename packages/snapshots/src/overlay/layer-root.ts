import { closeSync, constants, openSync } from 'node:fs'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/** The open root of a layer. The directories above it are the snapshotter's own. */
export class LayerRoot implements Disposable {
  readonly fd: number

  constructor(path: string) {
    this.fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}
