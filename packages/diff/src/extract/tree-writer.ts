import { chmodSync, closeSync, constants } from 'node:fs'
import { constants as os } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import { fileCalls, openPath, resolveFlags } from '@nsbox/sys/files'
import { type ByteString, quotedName } from '../tar/byte-string.ts'
import type { TarEntry, TarTime } from '../tar/tar-entry.ts'
import { refused, tooMuch } from '../tar/tar-error.ts'
import type { TarHandler } from '../tar/tar-parser.ts'
import { ContentWriter } from './content-writer.ts'
import { Directories, linkPath, lookUp, type OpenDirectory } from './directories.ts'
import { entryPath } from './entry-path.ts'
import type { Extracted } from './extracted.ts'
import { checkResult, failedEntry } from './file-result.ts'
import { type LayerForm, opaqueXattr } from './layer-form.ts'
import { namesIn, removeTree } from './remove-tree.ts'
import { whiteoutKind } from './whiteout.ts'
import { isKeptXattr } from './xattr-filter.ts'

const { EEXIST, ENOTSUP, EPERM } = os.errno
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, S_IFCHR, S_IFBLK, S_IFIFO } = constants
const { noMagicLinks } = resolveFlags

export interface TreeWriterOptions {
  readonly form: LayerForm
  /** Whether this process is root in a user namespace only: devices and `trusted.` attributes are left out. */
  readonly userNamespace: boolean
  /** Most bytes that one file may have once it is extracted, holes included. */
  readonly fileSize: number
}

/** Where an entry goes. */
interface Place {
  readonly entry: TarEntry
  readonly path: readonly ByteString[]
  readonly name: ByteString
  /** Opened again when something was removed, which closes descriptors. */
  parent: OpenDirectory
}

/**
 * Makes the tree of one layer in a directory. Entries are applied strictly in order, and every name is resolved anew by
 * the kernel inside the root, so that no earlier entry or layer can lead a later one out of it.
 */
export class TreeWriter implements TarHandler, Disposable {
  readonly #options: TreeWriterOptions
  readonly #directories: Directories
  readonly #opaque: string | undefined
  /** Whether nothing was there before, so that a name that exists already was made by this layer. */
  readonly #fresh: boolean
  /** What this layer has made: identity of the directory and name. */
  readonly #made = new Set<string>()
  /** Directories that `#keepAbove` has seen to. */
  readonly #keptAbove = new Set<string>()
  readonly #implied = new Map<string, readonly ByteString[]>()
  readonly #times = new Map<string, { readonly path: readonly ByteString[]; readonly time: TarTime }>()
  readonly #skipped: string[] = []
  #entries = 0
  #content: ContentWriter | undefined

  constructor(root: string, options: TreeWriterOptions) {
    this.#options = options
    this.#opaque = opaqueXattr(options.form)
    this.#directories = new Directories(root, {
      implied: (directory, parent, path, replaced) => {
        this.#made.add(key(parent, path[path.length - 1]!))
        this.#implied.set(directory.id, path)
        if (replaced) this.#hideLower(directory, path.join('/'))
      },
    })
    this.#fresh = namesIn(this.#directories.root.fd).length === 0
  }

  entry(entry: TarEntry): void {
    this.#entries += 1
    const path = entryPath(entry.name, entry.name)
    if (path.length === 0) {
      if (entry.type !== 'directory') throw refused(entry.name, 'the root can only be a directory')
      this.#directoryAttributes(this.#directories.root, path, entry)
      return
    }
    const whiteout = whiteoutKind(entry.name, path)
    if (whiteout.kind === 'meta') return
    const parentPath = path.slice(0, -1)
    const parent = this.#directories.ensure(parentPath, entry.name)
    if (whiteout.kind === 'opaque') this.#hideLower(parent, entry.name)
    else if (whiteout.kind === 'whiteout')
      this.#whiteout({ entry, path: [...parentPath, whiteout.hidden], name: whiteout.hidden, parent })
    else {
      if (this.#opaque === undefined) this.#keepAbove(parentPath)
      // Once more, since a deep name may have had descriptors closed.
      const open = this.#directories.ensure(parentPath, entry.name)
      const place: Place = { entry, path, name: path[path.length - 1]!, parent: open }
      this.#create(place)
      this.#made.add(key(place.parent, place.name))
    }
  }

  data(bytes: Buffer): void {
    this.#content?.write(bytes)
  }

  end(): void {
    const content = this.#content
    if (content === undefined) return
    const { fd, entry } = content
    content.finish()
    this.#attributes(fd, entry)
    checkResult(fileCalls.futimens(fd, entry.mtime.seconds, entry.mtime.nanoseconds), 'utimens', entry.name)
    this.#content = undefined
    closeSync(fd)
  }

  /** Sets what had to wait until all entries were there. Call it once, at the end of the archive. */
  finish(): Extracted {
    for (const [id, { path, time }] of [...this.#times].reverse()) {
      const directory = this.#directories.find(path)
      // A later entry may have taken its place.
      if (directory === undefined || directory.id !== id) continue
      const set = fileCalls.futimens(directory.fd, time.seconds, time.nanoseconds)
      checkResult(set, 'utimens', path.join('/'))
    }
    const implied: ByteString[] = []
    for (const [id, path] of this.#implied)
      if (this.#directories.find(path)?.id === id) implied.push(path.join('/'))
    return { entries: this.#entries, implied, skipped: this.#skipped }
  }

  [Symbol.dispose](): void {
    if (this.#content !== undefined) closeSync(this.#content.fd)
    this.#content = undefined
    this.#directories[Symbol.dispose]()
  }

  #create(place: Place): void {
    const { type } = place.entry
    if (type === 'file') this.#file(place)
    else if (type === 'directory') this.#directory(place)
    else if (type === 'symlink') this.#symlink(place)
    else if (type === 'hardlink') this.#hardlink(place)
    else this.#node(place, type === 'fifo' ? S_IFIFO : type === 'block' ? S_IFBLK : S_IFCHR)
  }

  #file(place: Place): void {
    const { entry, name } = place
    if (entry.size > this.#options.fileSize)
      throw tooMuch(entry.name, `a file of ${entry.size} bytes, of ${this.#options.fileSize} allowed`)
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    const fd = this.#make(place, 'open', () =>
      fileCalls.openat2(place.parent.fd, name, flags, 0o600, noMagicLinks),
    )
    this.#content = new ContentWriter(fd, entry)
  }

  #directory(place: Place): void {
    const { entry, name, path } = place
    let displaced = false
    let made = fileCalls.mkdirat(place.parent.fd, name, 0o700)
    if (made === -EEXIST) {
      const found = lookUp(place.parent.fd, name, entry.name)
      this.#checkCollision(place)
      if (found?.kind !== 'directory') {
        this.#remove(place)
        displaced = true
        made = fileCalls.mkdirat(place.parent.fd, name, 0o700)
      } else made = 0
    }
    checkResult(made, 'mkdir', entry.name)
    const directory = this.#directories.find(path)
    if (directory === undefined) throw refused(entry.name, 'the directory above it is gone')
    this.#implied.delete(directory.id)
    this.#directoryAttributes(directory, path, entry)
    // What stood in its place has hidden the lower layers' directory of this name, and that must not come back.
    if (displaced && this.#opaque !== undefined) this.#hideLower(directory, entry.name)
  }

  #symlink(place: Place): void {
    const { entry, name } = place
    const { linkName, mtime } = entry
    if (linkName === '' || linkName.includes('\0')) throw refused(entry.name, 'a link to no valid name')
    if (linkName.length > 4095) throw tooMuch(entry.name, 'a link to a name of more than 4095 bytes')
    this.#make(place, 'symlink', () => fileCalls.symlinkat(linkName, place.parent.fd, name))
    const { fd } = place.parent
    checkResult(fileCalls.fchownat(fd, name, entry.uid, entry.gid), 'chown', entry.name)
    this.#nameXattrs(place)
    checkResult(fileCalls.utimensat(fd, name, mtime.seconds, mtime.nanoseconds), 'utimens', entry.name)
  }

  /** A link gives a file another name and nothing else: its attributes came with the entry that made it. */
  #hardlink(place: Place): void {
    const { entry, name } = place
    const target = entryPath(entry.name, entry.linkName)
    const last = target[target.length - 1]
    if (last === undefined) throw refused(entry.name, 'a hard link to the root')
    const from = () => {
      const directory = this.#directories.find(target.slice(0, -1))
      if (directory !== undefined) return directory
      throw refused(entry.name, `a hard link to ${quotedName(entry.linkName)}, which does not exist`)
    }
    const found = lookUp(from().fd, last, entry.name)
    if (found === undefined || found.kind === 'whiteout')
      throw refused(entry.name, `a hard link to ${quotedName(entry.linkName)}, which does not exist`)
    if (found.kind === 'directory') throw refused(entry.name, 'a hard link to a directory')
    if (from().id === place.parent.id && last === name) throw refused(entry.name, 'a hard link to itself')
    this.#make(place, 'link', () => fileCalls.linkat(from().fd, last, place.parent.fd, name))
  }

  #node(place: Place, type: number): void {
    const { entry, name } = place
    if (type !== S_IFIFO) {
      // Overlayfs would take it for a whiteout.
      if (type === S_IFCHR && entry.major === 0 && entry.minor === 0)
        throw refused(entry.name, 'a character device 0:0')
      if (this.#options.userNamespace) {
        this.#skip(`device ${quotedName(entry.name)}`)
        return
      }
    }
    if (entry.major < 0 || entry.major > 0xfff || entry.minor < 0 || entry.minor > 0xfffff)
      throw refused(entry.name, 'a device number out of range')
    this.#make(place, 'mknod', () =>
      fileCalls.mknodat(place.parent.fd, name, type | 0o600, entry.major, entry.minor),
    )
    const { fd } = place.parent
    checkResult(fileCalls.fchownat(fd, name, entry.uid, entry.gid), 'chown', entry.name)
    // Through a descriptor that opens the place only: opening a FIFO waits, opening a device does what it does.
    const node = checkResult(
      fileCalls.openat2(fd, name, openPath | O_NOFOLLOW, 0, noMagicLinks),
      'open',
      entry.name,
    )
    try {
      chmodSync(`/proc/self/fd/${node}`, entry.mode)
    } catch (error) {
      throw failedEntry(error, entry.name)
    } finally {
      closeSync(node)
    }
    this.#nameXattrs(place)
    const { seconds, nanoseconds } = entry.mtime
    checkResult(fileCalls.utimensat(fd, name, seconds, nanoseconds), 'utimens', entry.name)
  }

  #whiteout(place: Place): void {
    const { entry, name, path } = place
    const found = lookUp(place.parent.fd, name, entry.name)
    const ours = found !== undefined && this.#made.has(key(place.parent, name))
    if (ours) {
      // It hides what lower layers have, whatever the order; what this layer has stays.
      if (found.kind !== 'directory') return
      const directory = this.#directories.find(path)
      if (directory !== undefined) this.#hideLower(directory, entry.name)
      return
    }
    if (found !== undefined) this.#remove(place)
    if (this.#opaque === undefined) return
    checkResult(fileCalls.mknodat(place.parent.fd, name, S_IFCHR, 0, 0), 'mknod', entry.name)
    this.#made.add(key(place.parent, name))
  }

  /** Keeps removals of lower content from directories that hold something of this layer. */
  #keepAbove(path: readonly ByteString[]): void {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const name = path.slice(0, depth).join('/')
      if (this.#keptAbove.has(name)) return
      this.#keptAbove.add(name)
      const above = this.#directories.find(path.slice(0, depth - 1))
      if (above !== undefined) this.#made.add(key(above, path[depth - 1]!))
    }
  }

  /** Makes a directory show nothing of the lower layers; what this layer has made in it stays. */
  #hideLower(directory: OpenDirectory, entry: ByteString): void {
    if (this.#opaque !== undefined) {
      checkResult(fileCalls.fsetxattr(directory.fd, this.#opaque, Buffer.from('y')), 'setxattr', entry)
      return
    }
    if (this.#removeLower(directory.fd, directory.id, entry)) this.#directories.forget()
  }

  /** @returns whether a directory or link that a name may have led through was removed */
  #removeLower(fd: number, id: string, entry: ByteString): boolean {
    let removed = false
    for (const name of namesIn(fd)) {
      if (!this.#made.has(`${id}/${name}`)) {
        removed = true
        removeTree(fd, name, entry)
      } else if (lookUp(fd, name, entry)?.kind === 'directory') {
        const below = Directories.below(fd, name, entry)
        try {
          removed = this.#removeLower(below.fd, below.id, entry) || removed
        } finally {
          closeSync(below.fd)
        }
      }
    }
    return removed
  }

  /** Makes something under a new name; what has the name already gives way, as a later entry does to an earlier. */
  #make(place: Place, call: string, attempt: () => number): number {
    const result = attempt()
    if (result !== -EEXIST) return checkResult(result, call, place.entry.name)
    this.#checkCollision(place)
    this.#remove(place)
    return checkResult(attempt(), call, place.entry.name)
  }

  #checkCollision({ entry, parent, name }: Place): void {
    if (!this.#fresh || this.#made.has(key(parent, name))) return
    throw new NsboxError(
      'failed_precondition',
      `layer entry ${quotedName(entry.name)}: the file system takes two names of the layer for one`,
    )
  }

  #remove(place: Place): void {
    const { entry, name, path } = place
    const found = lookUp(place.parent.fd, name, entry.name)
    removeTree(place.parent.fd, name, entry.name)
    if (found?.kind !== 'directory' && found?.kind !== 'symlink') return
    this.#directories.forget()
    const parent = this.#directories.find(path.slice(0, -1))
    if (parent === undefined) throw refused(entry.name, 'it replaces a link that its own name leads through')
    place.parent = parent
  }

  #directoryAttributes(directory: OpenDirectory, path: readonly ByteString[], entry: TarEntry): void {
    this.#attributes(directory.fd, entry)
    this.#times.set(directory.id, { path, time: entry.mtime })
  }

  /** Owner first, which clears setuid and capabilities; then what it has cleared. */
  #attributes(fd: number, entry: TarEntry): void {
    checkResult(fileCalls.fchown(fd, entry.uid, entry.gid), 'chown', entry.name)
    checkResult(fileCalls.fchmod(fd, entry.mode), 'chmod', entry.name)
    for (const [attribute, value] of entry.xattrs) {
      if (!isKeptXattr(attribute, entry.type, this.#options.userNamespace)) continue
      this.#checkXattr(fileCalls.fsetxattr(fd, attribute, value), attribute, entry)
    }
  }

  #nameXattrs({ parent, name, entry }: Place): void {
    for (const [attribute, value] of entry.xattrs) {
      if (!isKeptXattr(attribute, entry.type, this.#options.userNamespace)) continue
      const path = linkPath(parent.fd, name).toString('latin1')
      this.#checkXattr(fileCalls.lsetxattr(path, attribute, value), attribute, entry)
    }
  }

  #checkXattr(result: number, attribute: ByteString, entry: TarEntry): void {
    if (result === -ENOTSUP || (result === -EPERM && this.#options.userNamespace))
      this.#skip(`attribute ${quotedName(attribute)} of ${quotedName(entry.name)}`)
    else checkResult(result, `setxattr ${quotedName(attribute)}`, entry.name)
  }

  #skip(what: string): void {
    if (this.#skipped.length < 100) this.#skipped.push(what)
  }
}

const key = (parent: OpenDirectory, name: ByteString): string => `${parent.id}/${name}`
