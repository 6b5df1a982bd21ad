import { constants } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import type { AbortOptions, LayerDirectory } from '@nsbox/core/snapshots'
import { NsboxError, quoted } from '@nsbox/errors'
import { checkResult, TreeCursor, walkNow } from '@nsbox/trees/walk'
import { DisposableStack } from '@whatwg-node/disposablestack'
import { copyDirectoryAttributes, isOpaque } from './attributes.ts'
import { LayerRoot } from './layer-root.ts'

const { ELOOP, ENOENT, ENOTDIR, EXDEV } = constants.errno

/** Milliseconds of work before the event loop may run. */
const turn = 10

/** Directories that a layer has no entries for, and the layers below, whose attributes they get. */
export interface ImpliedDirectories {
  /** The roots of the layers below, the nearest first. */
  readonly parents: readonly string[]
  /** As `CommitLayerOptions.impliedDirectories`. */
  readonly paths: readonly string[]
  /** The attribute that marks an opaque directory. */
  readonly opaqueAttribute: LayerDirectory['opaqueAttribute']
}

/**
 * Gives the implied directories of a layer the attributes that they have in the layers below, once these are known
 * (docs/threat-model.md A09).
 *
 * @param layer the root of the layer
 * @throws `invalid_argument` for an invalid path; `failed_precondition` if it is no directory in the layer
 */
export async function resolveImpliedDirectories(
  layer: string,
  { parents, paths, opaqueAttribute }: ImpliedDirectories,
  { signal }: AbortOptions = {},
): Promise<void> {
  const begun = { at: performance.now() }
  const takeTurn = async () => {
    signal?.throwIfAborted()
    if (performance.now() - begun.at < turn) return
    await setImmediate()
    begun.at = performance.now()
  }
  // A directory comes after its entries, since changing them would change its modification time.
  for (const path of paths) {
    await takeTurn()
    const components = split(path)
    using own = lookUp(layer, components, opaqueAttribute)
    if (!own.isDirectory)
      throw new NsboxError('failed_precondition', `${show(path)} is no directory of the snapshot`)
    if (own.hidden) continue
    // The nearest layer that has the directory, or hides it.
    for (const parent of parents) {
      await takeTurn()
      using below = lookUp(parent, components, opaqueAttribute)
      if (below.isDirectory) copyDirectoryAttributes(below.fd, own.fd)
      if (below.isDirectory || below.opaque || below.blocked) break
    }
  }
}

interface Found extends Disposable {
  /** Whether the layer has a directory there, which is open then. */
  readonly isDirectory: boolean
  readonly fd: number
  /** Whether a directory on the way to it hides the layers below. */
  readonly hidden: boolean
  /** Whether it does so itself, or one on the way to it. */
  readonly opaque: boolean
  /** Whether something else is in the way: a file, a symbolic link, a whiteout. */
  readonly blocked: boolean
}

/** Looks a path up in a layer, component by component, without following links. */
function lookUp(layer: string, components: readonly Uint8Array[], opaqueAttribute: string): Found {
  using owned = new DisposableStack()
  const root = owned.use(new LayerRoot(layer))
  const cursor = owned.use(new TreeCursor(root.fd))
  // The kernel ignores whether the root of a layer is opaque.
  let opaque = false
  let hidden = false
  let entered = 0
  for (const component of components) {
    hidden = opaque
    entered = walkNow(cursor.enter(Buffer.from(component).toString('latin1')))
    if (entered === -EXDEV) throw new NsboxError('failed_precondition', 'something is mounted in a layer')
    if (entered < 0 && ![-ENOENT, -ENOTDIR, -ELOOP].includes(entered)) checkResult(entered, 'open')
    if (entered < 0) break
    opaque ||= isOpaque(cursor.fd, opaqueAttribute)
  }
  const kept = owned.move()
  return {
    isDirectory: entered >= 0,
    fd: cursor.fd,
    hidden,
    opaque,
    blocked: entered < 0 && entered !== -ENOENT,
    [Symbol.dispose]: () => kept.dispose(),
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
  return quoted(Buffer.from(path, 'latin1').toString())
}
