import { closeSync, openSync, readSync } from 'node:fs'

/** Whether a file is a program that the kernel executes itself, and no script. */
export function isElf(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const magic = Buffer.alloc(4)
    return readSync(fd, magic) === 4 && magic.equals(Buffer.from('\x7fELF', 'latin1'))
  } finally {
    closeSync(fd)
  }
}
