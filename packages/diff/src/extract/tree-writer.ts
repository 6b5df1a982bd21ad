import { constants } from 'node:fs'
import { constants as os } from 'node:os'
import type { NsboxError } from '@nsbox/errors'
import { closeDescriptor, fileCalls, opened } from '@nsbox/sys/files'
import type { FileRights } from '../ownership/file-rights.ts'
import { type ByteString, quotedName } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import { refused, tooMuch } from '../tar/tar-error.ts'
import type { TarHandler } from '../tar/tar-parser.ts'
import { Attributes } from './attributes.ts'
import { ContentWriter } from './content-writer.ts'
import { DescribedDirectories } from './described-directories.ts'
import { Directories, inDirectory, lookUp, type OpenDirectory } from './directories.ts'
import { entryPath } from './entry-path.ts'
import type { Extracted } from './extracted.ts'
import { checkResult, misplaced } from './file-result.ts'
import { GivenAttributes } from './given-attributes.ts'
import { impliedNames, KeptBytes } from './kept-bytes.ts'
import type { LayerForm } from './layer-form.ts'
import { LowerContent } from './lower-content.ts'
import { MadeNames } from './made-names.ts'
import { type Place, pathOf } from './place.ts'
import { possibleEntry } from './possible-entry.ts'
import { isEmpty, removeFromTree } from './remove-from-tree.ts'
import { SameDirectory } from './same-directory.ts'
import { whiteoutKind } from './whiteout.ts'

const { EEXIST } = os.errno
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, S_IFCHR, S_IFBLK, S_IFIFO } = constants

export interface TreeWriterOptions {
  readonly form: LayerForm
  /** With limited ones, devices and `trusted.` attributes are left out (see `possibleEntry`). */
  readonly rights: FileRights
  /** Most bytes that one file may have once it is extracted, holes included. */
  readonly fileSize: number
  /** Most bytes of names, and of other data kept in memory until the end. */
  readonly kept: number
}

/**
 * Makes the tree of one layer in a directory. Entries are applied strictly in order, and the kernel resolves every name
 * again inside the root, so that no earlier entry or layer can lead a later one out of it.
 */
export class TreeWriter implements TarHandler, Disposable {
  readonly #options: TreeWriterOptions
  readonly #directories: Directories
  readonly #attributes: Attributes
  readonly #lower: LowerContent
  readonly #kept: KeptBytes
  readonly #made: MadeNames
  /** Whether the directory was empty before, so that every name in it was made by this layer. */
  readonly #fresh: boolean
  readonly #implied = new Map<string, readonly ByteString[]>()
  readonly #described: DescribedDirectories
  readonly #given: GivenAttributes | undefined
  readonly #here = new SameDirectory()
  /** The directory of the last entry, and its path. */
  #seenTo: OpenDirectory | undefined
  #seenPath: readonly ByteString[] = []
  #entries = 0
  #content: ContentWriter | undefined

  constructor(root: string, options: TreeWriterOptions) {
    this.#options = options
    this.#kept = new KeptBytes(options.kept)
    this.#made = new MadeNames(this.#kept.budget)
    this.#attributes = new Attributes(options.rights.limited)
    this.#described = new DescribedDirectories(this.#attributes)
    this.#directories = new Directories(root, {
      implied: (directory, parent, path, replaced) => {
        this.#kept.directory(path)
        this.#made.add(parent, path[path.length - 1]!, true)
        this.#described.undescribed(directory)
        // A directory that replaces another kind of file is not the one of the lower layers.
        if (replaced) this.#lower.hideIn(directory, path.join('/'))
        else this.#implied.set(directory.id, path)
      },
      closing: (directory) => this.#described.closing(directory),
    })
    this.#lower = new LowerContent(options.form, this.#directories, this.#made)
    const { root: top } = this.#directories
    this.#fresh = isEmpty(top.fd)
    if (!this.#fresh) return
    this.#given = new GivenAttributes(top)
    this.#implied.set(top.id, [])
  }

  entry(wanted: TarEntry): void {
    this.#entries += 1
    const entry = this.#possible(wanted)
    this.#kept.entry(entry)
    const last = this.#here.lastOf(entry.name)
    if (last === undefined) this.#elsewhere(entry)
    else this.#make(entry, this.#seenPath, last)
  }

  #possible(entry: TarEntry): TarEntry {
    // Overlayfs would treat the device as a whiteout.
    if (entry.type === 'character' && entry.major === 0 && entry.minor === 0)
      throw refused(entry.name, 'a character device 0:0')
    const { rights } = this.#options
    return rights.limited ? possibleEntry(entry, rights, (what) => this.#attributes.skip(what)) : entry
  }

  /** An entry in another directory than the previous one, or with an unusual name. */
  #elsewhere(entry: TarEntry): void {
    const path = entryPath(entry.name, entry.name)
    if (path.length === 0) {
      if (entry.type !== 'directory') throw refused(entry.name, 'the root can only be a directory')
      this.#describeDirectory(this.#directories.root, path, entry, false)
      return
    }
    const whiteout = whiteoutKind(entry.name, path)
    if (whiteout.kind === 'meta') return
    const parentPath = path.slice(0, -1)
    if (whiteout.kind === 'entry') {
      const last = path[path.length - 1]!
      this.#here.set(entry.name, last)
      this.#make(entry, parentPath, last)
      return
    }
    const parent = this.#directories.ensure(parentPath, entry.name)
    if (whiteout.kind === 'opaque') this.#lower.hideIn(parent, entry.name)
    else {
      const place = { entry, parentPath, name: whiteout.hidden, parent }
      const emptied = this.#lower.hide(place, (there) => {
        this.#checkCollision(there)
        this.#remove(there)
      })
      if (emptied !== undefined) this.#implied.delete(emptied.id)
    }
  }

  #make(entry: TarEntry, parentPath: readonly ByteString[], name: ByteString): void {
    const place: Place = { entry, parentPath, name, parent: this.#parent(parentPath, entry) }
    this.#create(place)
    const leads = entry.type === 'directory' || entry.type === 'symlink'
    this.#made.add(place.parent, name, leads)
  }

  data(bytes: Buffer): void {
    this.#content?.write(bytes)
  }

  end(): void {
    const content = this.#content
    if (content === undefined) return
    const { fd, entry, given } = content
    content.finish()
    this.#attributes.set(fd, entry, given)
    this.#attributes.setLate(fd, entry)
    this.#content = undefined
    closeDescriptor(fd)
  }

  /** Sets the delayed attributes. Call it once, at the end of the archive. */
  finish(): Extracted {
    this.#described.finish(this.#directories)
    const implied = [...this.#implied].filter(([id, path]) => this.#directories.find(path)?.id === id)
    const names = impliedNames(implied.map(([, path]) => path))
    return { entries: this.#entries, implied: names, skipped: this.#attributes.skipped }
  }

  [Symbol.dispose](): void {
    if (this.#content !== undefined) closeDescriptor(this.#content.fd)
    this.#content = undefined
    this.#directories[Symbol.dispose]()
  }

  /** The directory of an entry, made if it is missing, after its path has been checked. */
  #parent(path: readonly ByteString[], entry: TarEntry): OpenDirectory {
    const seenTo = this.#seenTo
    // Files and links open no other directory, so this one stays open.
    if (path === this.#seenPath && seenTo?.isOpen && (entry.type === 'file' || entry.type === 'symlink'))
      return seenTo
    const parent = this.#directories.ensure(path, entry.name)
    this.#seenPath = path
    if (parent === seenTo) return parent
    if (!this.#fresh) this.#made.addAbove(path, this.#directories)
    else {
      const foreign = this.#made.foreignAbove(path, this.#directories)
      if (foreign !== undefined) throw this.#oneOfTwoNames(entry, foreign)
    }
    // Opened again, since a deep path may have closed descriptors.
    this.#seenTo = this.#directories.ensure(path, entry.name)
    return this.#seenTo
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
    let given = false
    const fd = this.#add(place, 'open', () => {
      given = this.#given?.file(entry, place.parent) ?? false
      return fileCalls.openat2(place.parent.fd, name, flags, given ? entry.mode : 0o600, inDirectory)
    })
    opened(fd)
    this.#content = new ContentWriter(fd, entry, given && this.#given!.prove(fd, entry))
  }

  #directory(place: Place): void {
    const { entry, name } = place
    const path = pathOf(place)
    const mode = this.#given?.file(entry, place.parent) ? entry.mode : 0o700
    let displaced = false
    let fresh = true
    let made = fileCalls.mkdirat(place.parent.fd, name, mode)
    if (made === -EEXIST) {
      const found = lookUp(place.parent.fd, name, entry.name)
      this.#checkCollision(place)
      if (found?.kind !== 'directory') {
        this.#remove(place)
        displaced = true
        made = fileCalls.mkdirat(place.parent.fd, name, mode)
      } else {
        fresh = false
        made = 0
      }
    }
    checkResult(made, 'mkdir', entry.name)
    const directory = this.#directories.find(path)
    if (directory === undefined) throw refused(entry.name, 'the directory above it is gone')
    this.#describeDirectory(directory, path, entry, fresh && isAsSaid(directory, entry))
    // The replaced file had hidden the lower layers' directory, which must stay hidden.
    if (displaced && !this.#lower.isPresent) this.#lower.hideIn(directory, entry.name)
  }

  /** @param given whether it has its owner and mode already */
  #describeDirectory(
    directory: OpenDirectory,
    path: readonly ByteString[],
    entry: TarEntry,
    given: boolean,
  ): void {
    this.#implied.delete(directory.id)
    this.#attributes.set(directory.fd, entry, given)
    if (directory.group !== entry.gid) this.#directories.changeGroup(directory, entry.gid)
    this.#kept.directory(path, entry)
    this.#described.add(directory, path, entry)
  }

  #symlink(place: Place): void {
    const { entry, name } = place
    const { linkName } = entry
    if (linkName === '' || linkName.includes('\0')) throw refused(entry.name, 'a link to no valid name')
    if (linkName.length > 4095) throw tooMuch(entry.name, 'a link to a name of more than 4095 bytes')
    this.#add(place, 'symlink', () => fileCalls.symlinkat(linkName, place.parent.fd, name))
    this.#attributes.setLink(place, this.#given?.owner(entry, place.parent) ?? false)
  }

  /** A link only gives a file another name; its attributes are those of the entry that made it. */
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
    this.#add(place, 'link', () => fileCalls.linkat(from().fd, last, place.parent.fd, name))
  }

  #node(place: Place, type: number): void {
    const { entry, name } = place
    if (entry.major < 0 || entry.major > 0xfff || entry.minor < 0 || entry.minor > 0xfffff)
      throw refused(entry.name, 'a device number out of range')
    this.#add(place, 'mknod', () =>
      fileCalls.mknodat(place.parent.fd, name, type | 0o600, entry.major, entry.minor),
    )
    this.#attributes.setNode(place)
  }

  /** Makes a file with a name. An existing one is replaced: a later entry counts. */
  #add(place: Place, call: string, attempt: () => number): number {
    const result = attempt()
    if (result !== -EEXIST) return checkResult(result, call, place.entry.name)
    this.#checkCollision(place)
    this.#remove(place)
    return checkResult(attempt(), call, place.entry.name)
  }

  #checkCollision({ entry, parent, name }: Place): void {
    if (this.#fresh && !this.#made.has(parent, name)) throw this.#oneOfTwoNames(entry, { parent, name })
  }

  #oneOfTwoNames(entry: TarEntry, { parent, name }: Pick<Place, 'parent' | 'name'>): NsboxError {
    const other = this.#made.alike(parent, name)
    const names = other === undefined ? 'two names' : `${quotedName(other)} and ${quotedName(name)}`
    return misplaced(entry.name, `the file system takes ${names} of the layer for one`)
  }

  #remove(place: Place): void {
    const { entry, name, parentPath } = place
    const found = lookUp(place.parent.fd, name, entry.name)
    removeFromTree(place.parent.fd, name, entry.name)
    if (found?.kind !== 'directory' && found?.kind !== 'symlink') return
    this.#directories.forget()
    const parent = this.#directories.find(parentPath)
    if (parent === undefined) throw refused(entry.name, 'it replaces a link that its own name leads through')
    place.parent = parent
  }
}

/** Whether a directory that was just made and opened has the entry's owner and mode. */
function isAsSaid({ opened, group }: OpenDirectory, { uid, gid, mode }: TarEntry): boolean {
  return opened.uid === uid && group === gid && opened.mode === mode
}
