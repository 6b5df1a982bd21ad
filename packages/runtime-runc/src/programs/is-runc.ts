import { closeSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'

/**
 * Whether a program is runc itself: it has the name, and is no script, which may do other things besides. What is known
 * of runc does not hold for programs that only have its command line.
 */
export function isRunc(path: string): boolean {
  return basename(path) === 'runc' && isElf(path)
}

function isElf(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const magic = Buffer.alloc(4)
    return readSync(fd, magic) === 4 && magic.equals(Buffer.from('\x7fELF', 'latin1'))
  } finally {
    closeSync(fd)
  }
}
