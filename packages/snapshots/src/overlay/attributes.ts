import { fstatSync } from 'node:fs'
import { constants } from 'node:os'
import { fileCalls } from '@nsbox/sys/files'
import { copyAttributes, failure } from '@nsbox/trees/walk'

const { ENODATA, EOPNOTSUPP } = constants.errno

/** Whether an open directory is opaque: hides what lower layers have in its place. */
export function isOpaque(directory: number, attribute: string): boolean {
  const value = fileCalls.lgetxattr(pathOf(directory), attribute)
  if (typeof value !== 'number') return Buffer.from(value).toString() === 'y'
  if (value === -ENODATA || value === -EOPNOTSUPP) return false
  throw failure(value, 'lgetxattr')
}

/**
 * Gives an open directory the owner, mode, extended attributes and modification time of another. The extended
 * attributes of overlayfs are left out.
 */
export function copyDirectoryAttributes(from: number, to: number): void {
  const stats = fstatSync(from, { bigint: true })
  copyAttributes(
    { stats, path: pathOf(from) },
    { fd: to, path: pathOf(to) },
    (name) => !/^(trusted|user)\.overlay\./.test(name),
  )
}

function pathOf(directory: number): string {
  return `/proc/self/fd/${directory}/.`
}
