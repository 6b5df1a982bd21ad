import { closeSync, openSync, readSync } from 'node:fs'

/** Whether a program is no script: an interpreter would get a script's name. */
export function isElf(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const magic = Buffer.alloc(4)
    return readSync(fd, magic) === 4 && magic.equals(Buffer.from('\x7fELF', 'latin1'))
  } finally {
    closeSync(fd)
  }
}
