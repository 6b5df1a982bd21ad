import { readFileSync } from 'node:fs'
import type { AbortOptions } from '@nsbox/concurrency'
import type { DiffMount } from '@nsbox/core/diff'
import { fromSystemError, isErrno } from '@nsbox/errors'
import { overlayMount, readTreeMount, type TreeMount, withTempMount } from '@nsbox/mount'
import type { LayerForm } from '../extract/layer-form.ts'

/** The topmost layer of an overlay. */
export interface TopLayer {
  readonly directory: string
  readonly form: Exclude<LayerForm, 'plain'>
}

/**
 * Makes a tree's files readable at a directory while `use` runs. A directory of the host is used directly; other trees
 * are mounted read-only, so that a snapshot that is mounted elsewhere can be read too.
 *
 * @param use gets undefined for no mounts
 * @throws `invalid_argument` for contradictory mounts
 */
export async function withTree<T>(
  mounts: readonly DiffMount[],
  use: (directory: string | undefined) => Promise<T>,
  options: AbortOptions,
): Promise<T> {
  if (mounts.length === 0) return await use(undefined)
  const tree = onlyTree(mounts)
  if (tree?.kind === 'bind') return await use(tree.directory)
  // A thread that was terminated leaves descriptors open, which must not keep the mount busy.
  return await withTempMount(mounts.map(readOnly), use, { ...options, lazy: true })
}

/**
 * The directory with the changes from the lower tree to the upper one, if the mounts have one: the upper tree is an
 * overlay with one layer on top of the lower tree's layers.
 */
export function topLayerOn(lower: readonly DiffMount[], upper: readonly DiffMount[]): TopLayer | undefined {
  const [mount] = upper
  if (mount?.type !== 'overlay') return undefined
  const [below, all] = [layersOf(lower), layersOf(upper)]
  if (below === undefined || all?.length !== below.length + 1) return undefined
  if (!below.every((directory, index) => directory === all[index + 1])) return undefined
  if (hasIndex(mount.options)) return undefined
  const tree = readTreeMount(mount)
  const form = tree?.kind === 'overlay' && tree.userAttributes ? 'overlay-user' : 'overlay'
  return { directory: all[0]!, form }
}

/** With `index`, all names of a file change together, and the topmost layer only has those by which it was changed. */
function hasIndex(options: readonly string[]): boolean {
  if (options.some((option) => option === 'index=on' || option === 'nfs_export=on')) return true
  if (options.includes('index=off')) return false
  try {
    return readFileSync('/sys/module/overlay/parameters/index', 'latin1').startsWith('Y')
  } catch (error) {
    // The kernel does not have the feature.
    if (isErrno(error, 'ENOENT')) return false
    throw fromSystemError(error, "reading the kernel's parameters of overlays")
  }
}

/** The directories of a tree, the topmost first; undefined for other kinds of mounts. */
function layersOf(mounts: readonly DiffMount[]): readonly string[] | undefined {
  const tree = onlyTree(mounts)
  if (tree?.kind === 'bind') return [tree.directory]
  if (tree === undefined) return undefined
  const { lower, upper } = tree.layers
  return upper === undefined ? lower : [upper, ...lower]
}

function onlyTree(mounts: readonly DiffMount[]): TreeMount | undefined {
  const [mount] = mounts
  return mount === undefined || mounts.length > 1 ? undefined : readTreeMount(mount)
}

const access = new Set(['ro', 'rw'])
const forWriting = /^(?:upperdir|workdir|lowerdir)=|^volatile$/

/**
 * The same files, read-only. An overlay's upper directory becomes a lower one: two writable mounts would corrupt it.
 */
function readOnly(mount: DiffMount): DiffMount {
  const options = [...mount.options.filter((option) => !access.has(option)), 'ro']
  const tree = readTreeMount(mount)
  if (tree?.kind !== 'overlay' || tree.layers.upper === undefined) return { ...mount, options }
  const { upper, lower } = tree.layers
  const others = options.filter((option) => !forWriting.test(option))
  return { ...mount, ...overlayMount({ lower: [upper, ...lower] }, others) }
}
