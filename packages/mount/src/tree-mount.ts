import { NsboxError, quoted } from '@nsbox/errors'
import { parseMountOptions } from './mount-options.ts'
import type { Mount } from './mount-record.ts'
import { type OverlayLayers, takeOverlayLayers } from './overlay.ts'

/** A mount of directories of the host: a bind mount or an overlay. */
export type TreeMount =
  | { readonly kind: 'bind'; readonly directory: string; readonly readOnly: boolean }
  | {
      readonly kind: 'overlay'
      readonly layers: OverlayLayers
      readonly readOnly: boolean
      /** Whether opaque directories are marked by `user.` attributes (`userxattr`). */
      readonly userAttributes: boolean
    }

const bindTypes: readonly string[] = ['bind', 'none', '']

/**
 * Reads the record of a mount, to use its directories without mounting it. It must mean the same here and to a program
 * that mounts it, so ambiguous records are refused.
 *
 * @returns undefined for a file system of another type
 * @throws `invalid_argument` for a contradictory record: `ro` and `rw`, a bind mount with a type or options that it
 * cannot have, a remount, an overlay with a directory given twice or in an unknown form
 */
export function readTreeMount(mount: Mount): TreeMount | undefined {
  const { type, source, options } = mount
  const parsed = parseMountOptions(options)
  const refuse = (why: string) => new NsboxError('invalid_argument', `mount of type ${quoted(type)}: ${why}`)
  const readOnly = options.includes('ro')
  if (readOnly && options.includes('rw')) throw refuse('both ro and rw')
  if (parsed.remount) throw refuse('it changes another mount')
  if (parsed.bind !== undefined || type === 'bind') {
    if (!bindTypes.includes(type)) throw refuse('it is a bind mount as well')
    const useless = [...parsed.superblock.filter(isNoAccess), ...parsed.fileSystem.map(({ key }) => key)]
    if (useless.length > 0) throw refuse(`a bind mount has no use for ${useless.map(quoted).join(' ')}`)
    return { kind: 'bind', directory: source, readOnly }
  }
  if (type !== 'overlay') return undefined
  const { layers, others } = takeOverlayLayers(parsed.fileSystem)
  for (const { key, value } of others) {
    // The kernel's own syntax for layers that are added one by one and for data-only layers.
    if (key.endsWith('+') || (key === 'userxattr' && value !== undefined))
      throw refuse(`option ${quoted(key)} in this form`)
  }
  const userAttributes = others.some(({ key }) => key === 'userxattr')
  return { kind: 'overlay', layers, readOnly: readOnly || layers.upper === undefined, userAttributes }
}

/** The directory for writes through mounts. */
export interface WrittenTree {
  readonly directory: string
  /** The lower directories, if it is the upper directory of an overlay. */
  readonly overlay?: { readonly lower: readonly string[]; readonly userAttributes: boolean }
}

/**
 * The one directory that a snapshot's mounts write to, found without mounting anything: the source of a bind mount, the
 * upper directory of an overlay. It is always one that `mountReach` reports as writable.
 *
 * @throws `failed_precondition` for mounts that cannot be written to; `unimplemented` for several or of another type;
 * `invalid_argument` as `readTreeMount`, and for a relative path
 */
export function writtenTree(mounts: readonly Mount[]): WrittenTree {
  const [mount] = mounts
  if (mount === undefined || mounts.length > 1 || (mount.target ?? '') !== '')
    throw new NsboxError('unimplemented', `a layer in ${mounts.length} mounts, or in one below another`)
  const tree = readTreeMount(mount)
  if (tree === undefined)
    throw new NsboxError('unimplemented', `a layer in a mount of type ${quoted(mount.type)}`)
  const directory = tree.kind === 'bind' ? tree.directory : tree.layers.upper
  if (tree.readOnly || directory === undefined)
    throw new NsboxError('failed_precondition', 'the snapshot to apply a layer to is read-only')
  if (!directory.startsWith('/') || directory.includes('\0'))
    throw new NsboxError('invalid_argument', `directory of a mount: ${quoted(directory)} is no absolute path`)
  if (tree.kind === 'bind') return { directory }
  const { layers, userAttributes } = tree
  return { directory, overlay: { lower: layers.lower, userAttributes } }
}

const isNoAccess = (word: string) => word !== 'ro' && word !== 'rw'
