import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import type { AbortOptions, LayerDirectory } from '@nsbox/core/snapshots'
import { isErrno, NsboxError } from '@nsbox/errors'
import { joinBytes } from '../join-bytes.ts'
import { copyAttributes, isOpaque } from './attributes.ts'

/** Directories that a layer has no entries for, and the layers that know what they look like. */
export interface ImpliedDirectories {
  /** The roots of the layers below, the nearest first. */
  readonly parents: readonly string[]
  /** As `CommitLayerOptions.impliedDirectories`. */
  readonly paths: readonly string[]
  /** The attribute by which a directory hides those below. */
  readonly opaqueAttribute: LayerDirectory['opaqueAttribute']
}

/**
 * Gives the implied directories of a layer the attributes that they have in the layers below (DESIGN §4, late
 * parents).
 *
 * @param layer the root of the layer
 * @throws `invalid_argument` for a path that is none; `failed_precondition` if it is no directory in the layer
 */
export async function resolveImpliedDirectories(
  layer: string,
  { parents, paths, opaqueAttribute }: ImpliedDirectories,
  { signal }: AbortOptions = {},
): Promise<void> {
  // A directory's entries come before itself, since nothing else may change its modification time afterwards; and its
  // own attributes do not change those of its entries.
  for (const path of paths) {
    signal?.throwIfAborted()
    const components = split(path)
    const own = await lookUp(Buffer.from(layer), components, opaqueAttribute)
    if (own.path === undefined)
      throw new NsboxError('failed_precondition', `${show(path)} is no directory of the snapshot`)
    if (own.hidden) continue
    const below = await firstBelow(parents, components, opaqueAttribute)
    if (below !== undefined) await copyAttributes(below, own.path)
  }
}

/** The directory that shows at a place in a stack of layers, if what shows there is one. */
async function firstBelow(
  layers: readonly string[],
  components: readonly Uint8Array[],
  opaqueAttribute: string,
): Promise<Buffer | undefined> {
  for (const layer of layers) {
    const { path, opaque, blocked } = await lookUp(Buffer.from(layer), components, opaqueAttribute)
    if (path !== undefined) return path
    if (opaque || blocked) return undefined
  }
  return undefined
}

interface Found {
  /** The directory, if the layer has one there. */
  readonly path?: Buffer
  /** Whether one on the way to it hides the layers below. */
  readonly hidden: boolean
  /** Whether it does so itself, or one on the way to it. */
  readonly opaque: boolean
  /** Whether something else is in the way: a file, a symbolic link, a whiteout. */
  readonly blocked: boolean
}

async function lookUp(
  layer: Buffer,
  components: readonly Uint8Array[],
  opaqueAttribute: string,
): Promise<Found> {
  let path = layer
  // The root of a layer hides nothing, whatever attributes it has: so it is with the kernel.
  let opaque = false
  let hidden = false
  for (const component of components) {
    hidden = opaque
    path = joinBytes(path, component)
    const stats = await statOrNothing(path)
    if (stats === undefined) return { hidden, opaque, blocked: false }
    if (!stats.isDirectory()) return { hidden, opaque, blocked: true }
    opaque ||= isOpaque(path, opaqueAttribute)
  }
  return { path, hidden, opaque, blocked: false }
}

async function statOrNothing(path: Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function split(path: string): Buffer[] {
  if (path === '') return []
  const names = path.split('/')
  const isName = (name: string) => !['', '.', '..'].includes(name) && !/[\0\u0100-\uffff]/.test(name)
  if (!names.every(isName))
    throw new NsboxError('invalid_argument', `${show(path)} is no path within a snapshot`)
  return names.map((name) => Buffer.from(name, 'latin1'))
}

function show(path: string): string {
  return JSON.stringify(Buffer.from(path.slice(0, 256), 'latin1').toString())
}
