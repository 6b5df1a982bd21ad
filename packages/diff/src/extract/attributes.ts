import { chmodSync, constants } from 'node:fs'
import { constants as os } from 'node:os'
import { closeDescriptor, fileCalls, O_PATH, opened } from '@nsbox/sys/files'
import { ownerAttribute } from '../ownership/recorded-owner.ts'
import { type ByteString, quotedName } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import { inDirectory, linkPath } from './directories.ts'
import { checkResult, failedEntry } from './file-result.ts'
import type { Place } from './place.ts'
import { isKeptXattr } from './xattr-filter.ts'

const { EINVAL, ENODATA, ENOTSUP, EPERM } = os.errno
const { O_NOFOLLOW } = constants
const defaultAcl = 'system.posix_acl_default'

/** The default access control list, which new files in a directory inherit. */
export function defaultAclOf({ xattrs }: TarEntry): Uint8Array | undefined {
  return xattrs.size === 0 ? undefined : xattrs.get(defaultAcl)
}

/** Sets the attributes of an entry, always on the very file that was made for it. */
export class Attributes {
  readonly #limited: boolean
  readonly #skipped: string[] = []

  /** @param limited whether this process is not root of the system, so that the kernel refuses some attributes */
  constructor(limited: boolean) {
    this.#limited = limited
  }

  /** Descriptions of attributes and nodes that could not be set or made, 100 at most. */
  get skipped(): readonly string[] {
    return this.#skipped
  }

  skip(what: string): void {
    if (this.#skipped.length < 100) this.#skipped.push(what)
  }

  /**
   * Sets all attributes but those of `setLate`. The owner comes first, since setting it clears setuid and capabilities.
   * A directory of lower layers keeps attributes that the entry does not have, but for the owner that was recorded.
   * @param given whether it has its owner and mode already
   */
  set(fd: number, entry: TarEntry, given: boolean): void {
    if (!given) {
      checkResult(fileCalls.fchown(fd, entry.uid, entry.gid), 'chown', entry.name)
      checkResult(fileCalls.fchmod(fd, entry.mode), 'chmod', entry.name)
      if (this.#limited && entry.type === 'directory' && !entry.xattrs.has(ownerAttribute))
        this.#forgetOwner(fd, entry)
    }
    if (entry.xattrs.size === 0) return
    for (const [attribute, value] of entry.xattrs)
      if (attribute !== defaultAcl && isKeptXattr(attribute, entry.type, this.#limited))
        this.#check(fileCalls.fsetxattr(fd, attribute, value), attribute, entry)
  }

  /**
   * Sets what must wait until a directory is complete: its times, and the default access control list, which the
   * layer's files must not inherit.
   */
  setLate(fd: number, entry: TarEntry): void {
    const acl = defaultAclOf(entry)
    if (acl !== undefined && isKeptXattr(defaultAcl, entry.type, this.#limited))
      this.#check(fileCalls.fsetxattr(fd, defaultAcl, acl), defaultAcl, entry)
    const { seconds, nanoseconds } = entry.mtime
    checkResult(fileCalls.futimens(fd, seconds, nanoseconds), 'utimens', entry.name)
  }

  /**
   * Sets all attributes of a symbolic link.
   * @param given whether it has its owner already
   */
  setLink(place: Place, given: boolean): void {
    if (!given) this.#setOwner(place)
    this.#setByName(place)
  }

  /** Sets all attributes of a device or FIFO. */
  setNode(place: Place): void {
    const { entry, name, parent } = place
    this.#setOwner(place)
    // By an O_PATH descriptor: opening a FIFO blocks, and opening a device can have effects.
    const flags = O_PATH | O_NOFOLLOW
    const found = fileCalls.openat2(parent.fd, name, flags, 0, inDirectory)
    const node = opened(checkResult(found, 'open', entry.name))
    try {
      chmodSync(`/proc/self/fd/${node}`, entry.mode)
    } catch (error) {
      throw failedEntry(error, entry.name)
    } finally {
      closeDescriptor(node)
    }
    this.#setByName(place)
  }

  #forgetOwner(fd: number, entry: TarEntry): void {
    const result = fileCalls.fremovexattr(fd, ownerAttribute)
    if (result !== -ENODATA && result !== -ENOTSUP)
      checkResult(result, `removexattr ${ownerAttribute}`, entry.name)
  }

  #setOwner({ parent, name, entry }: Place): void {
    checkResult(fileCalls.fchownat(parent.fd, name, entry.uid, entry.gid), 'chown', entry.name)
  }

  #setByName({ parent, name, entry }: Place): void {
    for (const [attribute, value] of entry.xattrs) {
      if (!isKeptXattr(attribute, entry.type, this.#limited)) continue
      const path = linkPath(parent.fd, name).toString('latin1')
      this.#check(fileCalls.lsetxattr(path, attribute, value), attribute, entry)
    }
    const { seconds, nanoseconds } = entry.mtime
    checkResult(fileCalls.utimensat(parent.fd, name, seconds, nanoseconds), 'utimens', entry.name)
  }

  #check(result: number, attribute: ByteString, entry: TarEntry): void {
    // A list that names ids which the user namespace lacks is invalid there.
    if (result === -ENOTSUP || (this.#limited && (result === -EPERM || result === -EINVAL)))
      this.skip(`attribute ${quotedName(attribute)} of ${quotedName(entry.name)}`)
    else checkResult(result, `setxattr ${quotedName(attribute)}`, entry.name)
  }
}
