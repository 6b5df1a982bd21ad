import { chmod, chown, lstat } from 'node:fs/promises'
import { constants } from 'node:os'
import { fileCalls } from '@nsbox/sys/files'
import { copyExtendedAttributes } from '../extended-attributes.ts'
import { checkResult, failure } from '../file-result.ts'
import { timeParts } from '../time-parts.ts'

const { ENODATA, EOPNOTSUPP } = constants.errno

/** Whether a directory hides what those below it have in the same place. */
export function isOpaque(directory: Buffer, attribute: string): boolean {
  const value = fileCalls.lgetxattr(directory.toString('latin1'), attribute)
  if (typeof value !== 'number') return Buffer.from(value).toString() === 'y'
  if (value === -ENODATA || value === -EOPNOTSUPP) return false
  throw failure(value, 'lgetxattr')
}

/**
 * Gives a directory the owner, mode, extended attributes and modification time of another. What overlays keep in
 * extended attributes is left out.
 */
export async function copyAttributes(from: Buffer, to: Buffer): Promise<void> {
  const stats = await lstat(from, { bigint: true })
  await chown(to, Number(stats.uid), Number(stats.gid))
  await chmod(to, Number(stats.mode & 0o7777n))
  const [source, target] = [from.toString('latin1'), to.toString('latin1')]
  copyExtendedAttributes(source, target, (name) => !/^(trusted|user)\.overlay\./.test(name))
  checkResult(fileCalls.utimensat(-1, target, ...timeParts(stats.mtimeNs)), 'utimensat')
}
