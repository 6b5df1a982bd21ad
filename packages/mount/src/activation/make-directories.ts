import { chmodSync, chownSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs'
import { basename, dirname, relative } from 'node:path'
import { isErrno, NsboxError, quoted } from '@nsbox/errors'
import { O_PATH, openat2, RESOLVE } from '@nsbox/sys'
import { hasErrno, mountError } from '../linux/mount-error.ts'
import { type OwnedDescriptor, ownedDescriptor } from '../linux/owned-descriptor.ts'
import type { Mount } from '../mount-record.ts'
import { isAtOrBelow } from '../path-prefix.ts'
import type { ActiveMount } from './active-mount.ts'

/** The prefix of options for making directories. */
const prefix = 'X-containerd.mkdir.'

interface Wish {
  readonly path: string
  readonly mode: number
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
}

/**
 * Makes the directories of a mount's options `X-containerd.mkdir.path=PATH[:MODE[:UID:GID]]`, with the mode 0700 by
 * default, and removes these options (docs/behaviour.md §19). They are made only within the mounts before it, and never
 * through a symbolic link: others may own the mounted files.
 *
 * @throws `invalid_argument` for a malformed option and a path outside of those mounts, `failed_precondition` for an
 * existing file of another kind or mode, `not_found` if its parent does not exist
 */
export function withDirectories(mount: Mount, active: readonly ActiveMount[]): Mount {
  for (const option of mount.options) if (option.startsWith(prefix)) make(parseWish(option), active)
  return { ...mount, options: mount.options.filter((option) => !option.startsWith(prefix)) }
}

function parseWish(option: string): Wish {
  const match = /^path=([^:]+)(?::([0-7]{1,4})(?::(\d{1,10}):(\d{1,10}))?)?$/.exec(
    option.slice(prefix.length),
  )
  const [, path = '', mode = '700', uid, gid] = match ?? []
  const bits = Number.parseInt(mode, 8)
  const owner = uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
  const isId = (id: number) => id < 0xffffffff
  if (match === null || bits > 0o777 || (owner !== undefined && !(isId(owner.uid) && isId(owner.gid))))
    throw new NsboxError('invalid_argument', `mount option ${quoted(option)}`)
  return { path, mode: bits, owner }
}

function make({ path, mode, owner }: Wish, active: readonly ActiveMount[]): void {
  const within = active.findLast(({ mountPoint }) => isAtOrBelow(path, mountPoint))
  if (within === undefined || !path.startsWith('/'))
    throw new NsboxError(
      'invalid_argument',
      `directory ${quoted(path)} to be made outside of the mounts before`,
    )
  try {
    using root = ownedDescriptor(openSync(within.mountPoint, O_PATH | constants.O_DIRECTORY))
    const name = relative(within.mountPoint, path) || '.'
    using parent = beneath(root, dirname(name))
    const isNew = made(`${parent.path}/${basename(name)}`, mode)
    using directory = beneath(root, name)
    if (isNew) {
      if (owner !== undefined) chownSync(directory.path, owner.uid, owner.gid)
      // Past the umask.
      chmodSync(directory.path, mode)
    } else if ((fstatSync(directory.fd).mode & 0o777) !== mode) {
      throw new NsboxError('failed_precondition', `directory ${quoted(path)} has another mode`)
    }
  } catch (error) {
    if (hasErrno(error, 'ELOOP', 'ENOTDIR'))
      throw new NsboxError('failed_precondition', `${quoted(path)} is no directory`, { cause: error })
    if (hasErrno(error, 'EXDEV'))
      throw new NsboxError('invalid_argument', `${quoted(path)} leads out of its mount`, { cause: error })
    throw mountError(error, `making ${quoted(path)}`)
  }
}

function made(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

function beneath(root: OwnedDescriptor, name: string): OwnedDescriptor {
  const flags = O_PATH | constants.O_DIRECTORY
  return ownedDescriptor(openat2(root.fd, name, flags, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS))
}
