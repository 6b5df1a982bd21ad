import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  readlinkSync,
} from 'node:fs'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { fileCalls, openPath } from '@nsbox/sys/files'
import { copyExtendedAttributes } from '../extended-attributes.ts'
import { checkResult } from '../file-result.ts'
import { timeParts } from '../time-parts.ts'
import { copyContent } from './copy-content.ts'
import type { CopyJob } from './copy-job.ts'
import { LinkGroups } from './link-groups.ts'
import { TreeCursor } from './tree-cursor.ts'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NONBLOCK, S_IFMT, S_IFLNK, S_IFIFO, S_IFSOCK } = constants

/**
 * Copies a tree with everything in it: files with their holes and links among each other, symbolic links, devices, FIFOs
 * and sockets, with owner, mode, modification time and extended attributes. It runs on any thread, which its system
 * calls block.
 *
 * It follows no link and enters no mount, even if somebody changes the tree meanwhile, which nobody should.
 *
 * @param step called again and again; what it throws ends the copying
 * @throws `failed_precondition` where something is mounted in the tree or it is being changed; `permission_denied`,
 * `resource_exhausted` and others, as the system has it. The copy is then to be thrown away.
 */
export function copyTree({ from, to, scratch }: CopyJob, step: () => void): void {
  using source = said([], () => new TreeCursor(from))
  using target = said([], () => new TreeCursor(to))
  using links = new LinkGroups(scratch)
  const copy = { source, target, links, step, device: fstatSync(source.fd, { bigint: true }).dev }
  const path: string[] = []
  const waiting = [source.names()]
  for (;;) {
    step()
    const name = waiting.at(-1)?.pop()
    if (name !== undefined) {
      path.push(name)
      if (said(path, () => copyEntry(copy, name))) waiting.push(source.names())
      else path.pop()
      continue
    }
    said(path, () => finishDirectory(copy, path.length > 0))
    if (path.pop() === undefined) return
    waiting.pop()
  }
}

interface Copy {
  readonly source: TreeCursor
  readonly target: TreeCursor
  readonly links: LinkGroups
  readonly step: () => void
  /** The file system of the source. */
  readonly device: bigint
}

function finishDirectory(copy: Copy, hasParent: boolean): void {
  const { source, target } = copy
  setAttributes(copy, '.', target.fd, fstatSync(source.fd, { bigint: true }))
  if (!hasParent) return
  source.leave()
  target.leave()
}

/** @returns whether it is a directory, which is entered then; its own attributes are left for later */
function copyEntry(copy: Copy, name: string): boolean {
  const { source, target, links } = copy
  const stats = lstatSync(source.path(name), { bigint: true })
  if (stats.dev !== copy.device) throw new NsboxError('failed_precondition', 'something is mounted there')
  if (stats.isDirectory()) {
    checkResult(fileCalls.mkdirat(target.fd, name, 0o700), 'mkdir')
    source.enter(name)
    target.enter(name)
    return true
  }
  if (links.link(stats, target, name)) return false
  if (stats.isFile()) copyFile(copy, name)
  else if (stats.isSymbolicLink()) copyLink(copy, name, stats)
  else copyNode(copy, name, stats)
  links.add(stats, target, name)
  return false
}

function copyFile(copy: Copy, name: string): void {
  // Should it be a FIFO by now, opening it does not wait.
  const from = copy.source.open(name, O_RDONLY | O_NONBLOCK, 0)
  try {
    const stats = fstatSync(from, { bigint: true })
    if (!stats.isFile()) throw new NsboxError('failed_precondition', 'it changed while it was copied')
    const to = copy.target.open(name, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try {
      copyContent(from, to, Number(stats.size), copy.step)
      setAttributes(copy, name, to, stats)
    } finally {
      closeSync(to)
    }
  } finally {
    closeSync(from)
  }
}

function copyLink(copy: Copy, name: string, stats: BigIntStats): void {
  const { source, target } = copy
  const linked = readlinkSync(source.path(name), 'latin1')
  checkResult(fileCalls.symlinkat(linked, target.fd, name), 'symlink')
  setAttributesByName(copy, name, stats)
}

function copyNode(copy: Copy, name: string, stats: BigIntStats): void {
  const type = Number(stats.mode) & S_IFMT
  const [major, minor] = type === S_IFIFO || type === S_IFSOCK ? [0, 0] : deviceParts(stats.rdev)
  checkResult(fileCalls.mknodat(copy.target.fd, name, type | 0o600, major, minor), 'mknod')
  setAttributesByName(copy, name, stats)
}

/** Owner first, which clears setuid and capabilities; time last. */
function setAttributes(copy: Copy, name: string, fd: number, stats: BigIntStats): void {
  checkResult(fileCalls.fchown(fd, Number(stats.uid), Number(stats.gid)), 'chown')
  checkResult(fileCalls.fchmod(fd, Number(stats.mode) & 0o7777), 'chmod')
  copyExtendedAttributes(copy.source.bytePath(name), copy.target.bytePath(name), belongsToFile)
  checkResult(fileCalls.futimens(fd, ...timeParts(stats.mtimeNs)), 'utimens')
}

/** The same for what cannot be opened. */
function setAttributesByName(copy: Copy, name: string, stats: BigIntStats): void {
  const { source, target } = copy
  checkResult(fileCalls.fchownat(target.fd, name, Number(stats.uid), Number(stats.gid)), 'chown')
  if ((Number(stats.mode) & S_IFMT) !== S_IFLNK) {
    // Through a descriptor of the place only: opening a FIFO waits, opening a device does what it does.
    const place = target.open(name, openPath, 0)
    try {
      chmodSync(`/proc/self/fd/${place}`, Number(stats.mode) & 0o7777)
    } finally {
      closeSync(place)
    }
  }
  copyExtendedAttributes(source.bytePath(name), target.bytePath(name), belongsToFile)
  checkResult(fileCalls.utimensat(target.fd, name, ...timeParts(stats.mtimeNs)), 'utimens')
}

/** Labels of security modules and integrity measurements belong to the host, and to the one file. */
function belongsToFile(attribute: string): boolean {
  return !attribute.startsWith('security.') || attribute === 'security.capability'
}

/** Of a device number as Linux puts it together. */
function deviceParts(device: bigint): [major: number, minor: number] {
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn)
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn)
  return [Number(major), Number(minor)]
}

/** Has an error say what was being copied. */
function said<T>(path: readonly string[], body: () => T): T {
  try {
    return body()
  } catch (error) {
    const name = path.length === 0 ? '.' : path.join('/')
    const context = `copying ${JSON.stringify(Buffer.from(name.slice(0, 1024), 'latin1').toString())}`
    const coded = fromSystemError(error, context)
    if (!(coded instanceof NsboxError) || coded.cause === error) throw coded
    throw new NsboxError(coded.code, `${context}: ${coded.context}`, { cause: error, details: coded.details })
  }
}
