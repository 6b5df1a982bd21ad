import { constants, fstatSync, openSync } from 'node:fs'
import { constants as os } from 'node:os'
import { fromSystemError } from '@nsbox/errors'
import { closeDescriptor, fileCalls, O_PATH, opened, RESOLVE } from '@nsbox/sys/files'
import type { ByteString } from '../tar/byte-string.ts'
import { refused } from '../tar/tar-error.ts'
import { checkResult } from './file-result.ts'

const { ENOENT, ENOTDIR, ELOOP, EEXIST } = os.errno
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, S_IFMT, S_IFLNK, S_IFDIR, S_IFCHR } = constants
const inRoot = RESOLVE.IN_ROOT | RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS

// Each takes a descriptor; the limit of a process is often 1024.
const maxOpen = 64
const maxLinks = 40

/** Flags to open a name in an open directory: no mount is entered and no link followed. */
export const inDirectory = RESOLVE.BENEATH | RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS

/** An open directory below the root. */
export interface OpenDirectory {
  readonly fd: number
  /** Device and inode: the same for all names that lead to it. */
  readonly id: string
  /** Whether its descriptor is still open. */
  isOpen: boolean
  /** The group's id; `Directories.changeGroup` changes it. */
  group: number
  /** Owner and mode as they were when it was opened. */
  readonly opened: { readonly uid: number; readonly mode: number }
}

/** Callbacks for changes of directories. */
export interface DirectoryHooks {
  /** A directory was made, or has replaced a whiteout. `path` has no symbolic links. */
  implied(
    directory: OpenDirectory,
    parent: OpenDirectory,
    path: readonly ByteString[],
    replaced: boolean,
  ): void
  /** The directory's descriptor is about to be closed. */
  closing(directory: OpenDirectory): void
}

/**
 * Opens directories below a root by name. The kernel resolves every name inside the root (openat2 with
 * RESOLVE_IN_ROOT), symbolic links included, and never on another mount. Descriptors of directories are kept until a
 * removal that may affect a kept name; call `forget` then.
 */
export class Directories implements Disposable {
  readonly #root: OpenDirectory
  readonly #hooks: DirectoryHooks
  readonly #open = new Map<ByteString, OpenDirectory>()

  constructor(root: string, hooks: DirectoryHooks) {
    try {
      this.#root = identify(openSync(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    } catch (error) {
      throw fromSystemError(error, 'opening the directory of a layer')
    }
    this.#hooks = hooks
  }

  /** Opens a directory by its name in an open one, not through a link. The caller has to `close` it. */
  below(directory: number, name: ByteString, entry: ByteString): OpenDirectory {
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    const fd = fileCalls.openat2(directory, name, flags, 0, inDirectory)
    return identify(checkResult(fd, 'open', entry))
  }

  get root(): OpenDirectory {
    return this.#root
  }

  /** Opens a directory; undefined if it is missing or another kind of file. This object owns the descriptor. */
  find(path: readonly ByteString[]): OpenDirectory | undefined {
    if (path.length === 0) return this.#root
    const name = path.join('/')
    const kept = this.#open.get(name)
    if (kept !== undefined) {
      // The least recently used one is closed: a caller works with two at most.
      this.#open.delete(name)
      this.#open.set(name, kept)
      return kept
    }
    const fd = fileCalls.openat2(this.#root.fd, name, O_RDONLY | O_DIRECTORY, 0, inRoot)
    if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return undefined
    return this.#keep(name, identify(checkResult(fd, 'open', name)))
  }

  /**
   * Opens a directory, and makes it and those above it if they are missing.
   * @param entry for errors: `invalid_argument` if another kind of file is in the way
   */
  ensure(path: readonly ByteString[], entry: ByteString): OpenDirectory {
    return this.find(path) ?? this.#make(path, entry)
  }

  /** Records a new group of a directory, under all names that lead to it. */
  changeGroup({ id }: OpenDirectory, group: number): void {
    if (this.#root.id === id) this.#root.group = group
    for (const directory of this.#open.values()) if (directory.id === id) directory.group = group
  }

  /** Closes all directories but the root. */
  forget(): void {
    for (const [name, directory] of this.#open) {
      this.close(directory)
      this.#open.delete(name)
    }
  }

  close(directory: OpenDirectory): void {
    this.#hooks.closing(directory)
    closeOnly(directory)
  }

  [Symbol.dispose](): void {
    for (const directory of this.#open.values()) closeOnly(directory)
    this.#open.clear()
    closeOnly(this.#root)
  }

  /** Walks component by component, like the kernel, since a link may lead to a place that has to be made. */
  #make(path: readonly ByteString[], entry: ByteString): OpenDirectory {
    const waiting = [...path].reverse()
    let real: ByteString[] = []
    let links = 0
    for (let component = waiting.pop(); component !== undefined; component = waiting.pop()) {
      if (component === '' || component === '.') continue
      if (component === '..') {
        real.pop()
        continue
      }
      const parent = this.find(real)
      if (parent === undefined) throw refused(entry, 'a directory above it is gone')
      const found = lookUp(parent.fd, component, entry)
      if (found?.target !== undefined) {
        links += 1
        if (links > maxLinks) throw refused(entry, 'too many symbolic links in its name')
        if (found.target.startsWith('/')) real = []
        waiting.push(...found.target.split('/').reverse())
        if (waiting.length > 4096) throw refused(entry, 'too many symbolic links in its name')
        continue
      }
      if (found?.kind === 'other') throw refused(entry, 'something that is no directory is above it')
      const here = [...real, component]
      if (found?.kind !== 'directory')
        this.#makeOne(parent, component, here, found?.kind === 'whiteout', entry)
      real = here
    }
    const made = this.find(real)
    if (made === undefined) throw refused(entry, 'the directory above it cannot be opened')
    return made
  }

  #makeOne(
    parent: OpenDirectory,
    name: ByteString,
    path: readonly ByteString[],
    replaced: boolean,
    entry: ByteString,
  ): void {
    if (replaced) checkResult(fileCalls.unlinkat(parent.fd, name, false), 'unlink', entry)
    const made = fileCalls.mkdirat(parent.fd, name, 0o755)
    if (made === -EEXIST) throw refused(entry, 'two names that the file system takes for one')
    checkResult(made, 'mkdir', entry)
    const directory = this.find(path)
    if (directory === undefined) throw refused(entry, 'a directory above it is gone')
    checkResult(fileCalls.fchown(directory.fd, 0, 0), 'chown', entry)
    directory.group = 0
    checkResult(fileCalls.fchmod(directory.fd, 0o755), 'chmod', entry)
    this.#hooks.implied(directory, parent, path, replaced)
  }

  #keep(name: ByteString, directory: OpenDirectory): OpenDirectory {
    this.#open.set(name, directory)
    if (this.#open.size > maxOpen) {
      const [oldest, unused] = this.#open.entries().next().value!
      this.close(unused)
      this.#open.delete(oldest)
    }
    return directory
  }
}

/** The kind of a name in a directory, without following links. */
export type Found =
  | { readonly kind: 'directory' | 'whiteout' | 'other'; readonly target?: undefined }
  | { readonly kind: 'symlink'; readonly target: ByteString }

/** @returns undefined if there is no such name */
export function lookUp(directory: number, name: ByteString, entry: ByteString): Found | undefined {
  const fd = fileCalls.openat2(directory, name, O_PATH | O_NOFOLLOW, 0, inDirectory)
  if (fd === -ENOENT) return undefined
  opened(checkResult(fd, 'open', entry))
  try {
    const { mode, rdev } = fstatSync(fd)
    switch (mode & S_IFMT) {
      case S_IFDIR:
        return { kind: 'directory' }
      case S_IFCHR:
        return { kind: rdev === 0 ? 'whiteout' : 'other' }
      case S_IFLNK:
        return { kind: 'symlink', target: targetOf(fd, entry) }
      default:
        return { kind: 'other' }
    }
  } finally {
    closeDescriptor(fd)
  }
}

function targetOf(link: number, entry: ByteString): ByteString {
  const target = fileCalls.targetOf(link)
  if (typeof target === 'string') return target
  checkResult(target, 'readlink', entry)
  return ''
}

/** A path to a name in an open directory, for system calls that take no descriptor. */
export function linkPath(directory: number, name: ByteString): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, 'latin1')
}

function identify(fd: number): OpenDirectory {
  const { dev, ino, uid, gid, mode } = fstatSync(opened(fd), { bigint: true })
  const found = { uid: Number(uid), mode: Number(mode) & 0o7777 }
  return { fd, id: `${dev}:${ino}`, isOpen: true, group: Number(gid), opened: found }
}

function closeOnly(directory: OpenDirectory): void {
  directory.isOpen = false
  closeDescriptor(directory.fd)
}
