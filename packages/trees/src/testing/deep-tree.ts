import { closeSync, constants, openSync } from 'node:fs'
import { fileCalls } from '@nsbox/sys/files'

/** Makes directories in each other, however long their path becomes, each beside a file. */
export function makeDeepTree(root: string, levels: number, name: string): void {
  let fd = openSync(root, constants.O_DIRECTORY)
  for (let level = 0; level < levels; level++) {
    closeSync(fileCalls.openat2(fd, 'file', constants.O_CREAT | constants.O_WRONLY, 0o600, 0))
    fileCalls.mkdirat(fd, name, 0o755)
    const below = fileCalls.openat2(fd, name, constants.O_DIRECTORY, 0, 0)
    closeSync(fd)
    fd = below
  }
  closeSync(fd)
}
