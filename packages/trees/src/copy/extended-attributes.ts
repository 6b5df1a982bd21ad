import { constants } from 'node:os'
import { fileCalls } from '@nsbox/sys/files'
import { checkResult, failure } from '../walk/file-result.ts'

const { EOPNOTSUPP } = constants.errno

/**
 * Gives a file the extended attributes of another. Neither path is followed at its end. On a file system that has no
 * such attributes, there are none to copy.
 *
 * @param from a path of one character per byte, as `to`
 * @param isCopied says of a name whether to copy it
 */
export function copyExtendedAttributes(from: string, to: string, isCopied: (name: string) => boolean): void {
  const names = fileCalls.llistxattr(from)
  if (typeof names === 'number') {
    if (names === -EOPNOTSUPP) return
    throw failure(names, 'llistxattr')
  }
  for (const name of names) {
    if (!isCopied(name)) continue
    const value = fileCalls.lgetxattr(from, name)
    if (typeof value === 'number') throw failure(value, `lgetxattr ${name}`)
    checkResult(fileCalls.lsetxattr(to, name, value), `lsetxattr ${name}`)
  }
}
