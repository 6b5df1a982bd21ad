import { constants } from 'node:os'
import { fileCalls } from '@nsbox/sys/files'
import { checkResult, failure } from '../walk/file-result.ts'

const { EOPNOTSUPP } = constants.errno

/**
 * Copies extended attributes from one file to another. Symbolic links as last components are not followed. A file
 * system without extended attributes counts as one where none are set.
 *
 * @param from a path of one character per byte, as `to`
 * @param isCopied tells by its name whether to copy one
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
