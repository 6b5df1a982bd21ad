import { type BigIntStats, chmodSync, constants, fstatSync, lstatSync, readlinkSync } from 'node:fs'
import { constants as os } from 'node:os'
import { fromSystemError, isNsboxError, NsboxError } from '@nsbox/errors'
import { closeDescriptor, fileCalls, O_PATH } from '@nsbox/sys/files'
import { openRoot } from '../walk/disk-calls.ts'
import { checkResult } from '../walk/file-result.ts'
import { TreeCursor } from '../walk/tree-cursor.ts'
import type { Walk } from '../walk/walk.ts'
import { copyAttributes, timeParts } from './copy-attributes.ts'
import { copyContent } from './copy-content.ts'
import { copyExtendedAttributes } from './extended-attributes.ts'
import { LinkGroups } from './link-groups.ts'

const { EXDEV } = os.errno
const changes: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL'])
const { O_WRONLY, O_CREAT, O_EXCL, S_IFMT, S_IFLNK, S_IFIFO, S_IFSOCK } = constants

/** A tree to copy. Plain data, to be sent to a thread. */
export interface TreeCopy {
  /** The directory to copy. */
  readonly from: string
  /** An empty directory, the target. */
  readonly to: string
  /** Path for a temporary directory on the same file system; must not exist, and is removed afterwards. */
  readonly scratch: string
}

/**
 * Copies a tree with everything in it: files with their holes and links among each other, symbolic links, devices,
 * FIFOs and sockets, with owner, mode, modification time and extended attributes. It blocks the calling thread.
 *
 * It follows no link and enters no mount, even if somebody changes the tree meanwhile, which nobody should.
 *
 * @throws `failed_precondition` where something is mounted in the tree or it is being changed; `permission_denied`,
 * `resource_exhausted` and others, as the system reports. The copy has to be discarded then.
 */
export function* copyTree({ from, to, scratch }: TreeCopy): Walk<void> {
  using sourceRoot = yield* root(from)
  using targetRoot = yield* root(to)
  using source = new TreeCursor(sourceRoot.fd)
  using target = new TreeCursor(targetRoot.fd)
  const links = new LinkGroups(scratch)
  const device = fstatSync(source.fd, { bigint: true }).dev
  try {
    yield* copyEntries({ source, target, links, device })
    yield* links.remove()
  } finally {
    links.close()
  }
}

function* root(path: string): Walk<Disposable & { readonly fd: number }> {
  const fd = checkResult(yield openRoot(path), `copying ${JSON.stringify(path)}`)
  return { fd, [Symbol.dispose]: () => closeDescriptor(fd) }
}

interface Copy {
  readonly source: TreeCursor
  readonly target: TreeCursor
  readonly links: LinkGroups
  /** The file system of the source. */
  readonly device: bigint
}

function* copyEntries(copy: Copy): Walk<void> {
  const { source } = copy
  for (;;) {
    yield
    const entry = yield* source.next()
    if (entry !== undefined) yield* said(source, entry.name, copyEntry(copy, entry.name))
    else {
      const isLast = source.isAtRoot
      yield* said(source, '.', finishDirectory(copy))
      if (isLast) return
    }
  }
}

function* finishDirectory(copy: Copy): Walk<void> {
  const { source, target } = copy
  setAttributes(copy, '.', target.fd, fstatSync(source.fd, { bigint: true }))
  if (source.isAtRoot) return
  const left = yield* source.leave()
  if ((yield* target.leave()) === 'lost' || left === 'lost') throw changed()
}

/** Enters a directory; its attributes are set later. */
function* copyEntry(copy: Copy, name: string): Walk<void> {
  const { source, target, links } = copy
  const stats = lstatSync(bytes(source, name), { bigint: true })
  if (stats.dev !== copy.device) throw mounted()
  if (stats.isDirectory()) {
    checkResult(fileCalls.mkdirat(target.fd, name, 0o700), 'mkdir')
    for (const cursor of [source, target]) {
      const entered = yield* cursor.enter(name)
      if (entered === -EXDEV) throw mounted()
      checkResult(entered, 'open')
    }
    return
  }
  if (links.link(stats, target, name)) return
  if (stats.isFile()) yield* copyFile(copy, name)
  else if (stats.isSymbolicLink()) copyLink(copy, name, stats)
  else copyNode(copy, name, stats)
  yield* links.add(stats, target, name)
}

function* copyFile(copy: Copy, name: string): Walk<void> {
  const from = copy.source.openFile(name)
  if (from === undefined) throw changed()
  try {
    const stats = fstatSync(from, { bigint: true })
    if (!stats.isFile()) throw changed()
    const to = copy.target.open(name, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try {
      yield* copyContent(from, to, Number(stats.size))
      setAttributes(copy, name, to, stats)
    } finally {
      closeDescriptor(to)
    }
  } finally {
    closeDescriptor(from)
  }
}

function copyLink(copy: Copy, name: string, stats: BigIntStats): void {
  const { source, target } = copy
  const linked = readlinkSync(bytes(source, name), 'latin1')
  checkResult(fileCalls.symlinkat(linked, target.fd, name), 'symlink')
  setAttributesByName(copy, name, stats)
}

function copyNode(copy: Copy, name: string, stats: BigIntStats): void {
  const type = Number(stats.mode) & S_IFMT
  const [major, minor] = type === S_IFIFO || type === S_IFSOCK ? [0, 0] : deviceParts(stats.rdev)
  checkResult(fileCalls.mknodat(copy.target.fd, name, type | 0o600, major, minor), 'mknod')
  setAttributesByName(copy, name, stats)
}

function setAttributes({ source, target }: Copy, name: string, fd: number, stats: BigIntStats): void {
  copyAttributes({ stats, path: source.bytePath(name) }, { fd, path: target.bytePath(name) }, belongsToFile)
}

/** For files that cannot be opened. */
function setAttributesByName(copy: Copy, name: string, stats: BigIntStats): void {
  const { source, target } = copy
  checkResult(fileCalls.fchownat(target.fd, name, Number(stats.uid), Number(stats.gid)), 'chown')
  if ((Number(stats.mode) & S_IFMT) !== S_IFLNK) {
    // By an O_PATH descriptor: opening a FIFO blocks, and opening a device can have effects.
    const place = target.open(name, O_PATH, 0)
    try {
      chmodSync(`/proc/self/fd/${place}`, Number(stats.mode) & 0o7777)
    } finally {
      closeDescriptor(place)
    }
  }
  copyExtendedAttributes(source.bytePath(name), target.bytePath(name), belongsToFile)
  checkResult(fileCalls.utimensat(target.fd, name, ...timeParts(stats.mtimeNs)), 'utimens')
}

/** Labels of security modules and integrity measurements belong to the host and the original file. */
function belongsToFile(attribute: string): boolean {
  return !attribute.startsWith('security.') || attribute === 'security.capability'
}

/** Splits a device number, as Linux encodes it. */
function deviceParts(device: bigint): [major: number, minor: number] {
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn)
  return [Number(major), Number(minor)]
}

function bytes(cursor: TreeCursor, name: string): Buffer {
  return Buffer.from(cursor.bytePath(name), 'latin1')
}

function changed(): NsboxError {
  return new NsboxError('failed_precondition', 'it changed while it was copied')
}

function mounted(): NsboxError {
  return new NsboxError('failed_precondition', 'something is mounted there')
}

/** Adds the path being copied to an error. */
function* said(source: TreeCursor, name: string, body: Walk<void>): Walk<void> {
  const place = source.place(name)
  try {
    yield* body
  } catch (error) {
    const context = `copying ${JSON.stringify(place.slice(0, 1024))}`
    // The tree has changed meanwhile.
    const found = fromSystemError(error, context)
    const coded = isNsboxError(found) && changes.has(found.details.errno) ? changed() : found
    if (!(coded instanceof NsboxError) || coded.cause === error) throw coded
    throw new NsboxError(coded.code, `${context}: ${coded.context}`, { cause: error, details: coded.details })
  }
}
