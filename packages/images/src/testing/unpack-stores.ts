import { join } from 'node:path'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import { type LayerWorkers, workerApplier } from '@nsbox/diff'
import { withTempMount } from '@nsbox/mount'
import { parsePlatform } from '@nsbox/oci'
import { type OverlaySnapshotter, openNativeSnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import { readTree, scratchMount, type TreeEntry } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { UnpackWish } from '../pull/fetch-and-unpack.ts'
import type { ImageInMemory } from './image-in-memory.ts'

/** A content store and an overlay snapshotter on a file system of their own. */
export interface UnpackStores extends AsyncDisposable {
  readonly content: LocalContentStore
  readonly snapshotter: OverlaySnapshotter
  /** The destination; every apply is recorded. */
  readonly into: UnpackWish
  /** The same for a snapshotter without layer directories, which needs the layers in order. */
  readonly inOrder: UnpackWish
  /** The begun applies, with whether the layer was arriving. */
  readonly applies: { readonly digest: string; readonly arriving: boolean }[]
  /** Adds all blobs of an image to the content store. */
  add(image: ImageInMemory): Promise<void>
  /** Names and kinds of all snapshots, sorted. */
  snapshots(): Promise<string[]>
  /** The tree of a committed snapshot, by default of `into`. */
  tree(chainId: string, of?: UnpackWish): Promise<ReadonlyMap<string, TreeEntry>>
}

/** @param workers the threads; they may be shared */
export async function unpackStores(workers: LayerWorkers): Promise<UnpackStores> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await scratchMount())
  const content = opening.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const snapshotter = opening.use(
    await openOverlaySnapshotter({ root: join(path, 'snapshots'), durability: 'relaxed' }),
  )
  const native = opening.use(
    await openNativeSnapshotter({ root: join(path, 'native'), durability: 'relaxed' }),
  )
  const applier = workerApplier({ workers, blobPath: (digest) => content.blobPath(digest) })
  const applies: { digest: string; arriving: boolean }[] = []
  const into: UnpackWish = {
    snapshotter,
    snapshotterName: 'overlayfs',
    platform: parsePlatform('linux/amd64'),
    applier: {
      apply: (layer, mounts, options) => {
        applies.push({ digest: layer.digest, arriving: options?.arriving !== undefined })
        return applier.apply(layer, mounts, options)
      },
    },
  }
  const held = opening.move()
  return {
    content,
    snapshotter,
    into,
    inOrder: { ...into, snapshotter: native, snapshotterName: 'native' },
    applies,
    add: async ({ blobs }) => {
      for (const [digest, bytes] of blobs) {
        await using writer = await content.writer({ ref: digest })
        await writer.write(bytes)
        await writer.commit({ expected: digest })
      }
    },
    snapshots: async () => {
      const found: string[] = []
      for await (const { name, kind } of snapshotter.list()) found.push(`${kind} ${name}`)
      return found.sort()
    },
    tree: async (chainId, of = into) => {
      const key = `view of ${chainId}`
      const tree = await withTempMount(await of.snapshotter.view(key, chainId), (mounted) =>
        readTree(mounted),
      )
      await of.snapshotter.remove(key)
      return tree
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
