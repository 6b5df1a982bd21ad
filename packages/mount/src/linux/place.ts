import { constants, fstatSync, openSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { O_PATH, openat2, RESOLVE } from '@nsbox/sys'
import { type OwnedDescriptor, ownedDescriptor } from './owned-descriptor.ts'

/** Where to mount: a directory or file, perhaps a path below it, and whether the last component may not be a link. */
export interface Place {
  readonly target: string
  readonly below: string
  readonly noFollow: boolean
}

/**
 * Opens a place, so that the mount goes where it was looked up and nowhere else. If something is mounted
 * there, the topmost mount is what is open.
 *
 * @throws `invalid_argument` if it is a symbolic link that may not be followed
 */
export function openPlace({ target, below, noFollow }: Place): OwnedDescriptor {
  const flags = O_PATH | (noFollow ? constants.O_NOFOLLOW : 0)
  const directory = openedPlace(openSync(target, flags), target)
  const relative = below.replace(/^\/+/, '')
  if (relative === '') return directory
  using _ = directory
  return openedPlace(openat2(directory.fd, relative, flags, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS), below)
}

function openedPlace(fd: number, path: string): OwnedDescriptor {
  const place = ownedDescriptor(fd)
  if (!fstatSync(fd).isSymbolicLink()) return place
  place[Symbol.dispose]()
  throw new NsboxError('invalid_argument', `${JSON.stringify(path)} is a symbolic link`)
}
