import { chmod, chown, lstat } from 'node:fs/promises'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { fromSystemError } from '@nsbox/errors'
import { fileCalls } from '@nsbox/sys/files'

const { ENODATA, EOPNOTSUPP } = constants.errno

/** Whether a directory hides what those below it have in the same place. */
export function isOpaque(directory: Buffer, attribute: string): boolean {
  const value = fileCalls.lgetxattr(directory.toString('latin1'), attribute)
  if (typeof value !== 'number') return Buffer.from(value).toString() === 'y'
  if (value === -ENODATA || value === -EOPNOTSUPP) return false
  throw failure('lgetxattr', value)
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
  const names = fileCalls.llistxattr(source)
  if (typeof names === 'number') {
    if (names !== -EOPNOTSUPP) throw failure('llistxattr', names)
  } else {
    for (const name of names) {
      if (/^(trusted|user)\.overlay\./.test(name)) continue
      const value = fileCalls.lgetxattr(source, name)
      if (typeof value === 'number') throw failure('lgetxattr', value)
      check('lsetxattr', fileCalls.lsetxattr(target, name, value))
    }
  }
  const seconds = stats.mtimeNs / 1_000_000_000n - (stats.mtimeNs < 0n ? 1n : 0n)
  const nanoseconds = stats.mtimeNs - seconds * 1_000_000_000n
  check('utimensat', fileCalls.utimensat(-1, target, Number(seconds), Number(nanoseconds)))
}

function check(call: string, result: number): void {
  if (result < 0) throw failure(call, result)
}

function failure(call: string, result: number): unknown {
  const code = getSystemErrorName(result)
  return fromSystemError(Object.assign(new Error(code), { code, errno: result, syscall: call }), call)
}
