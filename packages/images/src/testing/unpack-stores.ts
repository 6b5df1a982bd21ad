import { join } from 'node:path'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import { hasLayerDirectories, type Snapshotter } from '@nsbox/core/snapshots'
import { type LayerWorkers, workerApplier } from '@nsbox/diff'
import { withTempMount } from '@nsbox/mount'
import { parsePlatform } from '@nsbox/oci'
import { type OverlaySnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import { readTree, scratchMount, type TreeEntry } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { UnpackWish } from '../fetch-and-unpack.ts'
import type { ImageInMemory } from './image-in-memory.ts'

/** A content store and an overlay snapshotter on a file system of their own. */
export interface UnpackStores extends AsyncDisposable {
  readonly content: LocalContentStore
  readonly snapshotter: OverlaySnapshotter
  /** Where to unpack; every apply is noted. */
  readonly into: UnpackWish
  /** The same without late parents: layers are unpacked in their order. */
  readonly inOrder: UnpackWish
  /** The layers that were begun to be applied, each with whether it was arriving. */
  readonly applies: { readonly digest: string; readonly arriving: boolean }[]
  /** Puts all blobs of an image into the content store. */
  add(image: ImageInMemory): Promise<void>
  /** Names and kinds of all snapshots, sorted. */
  snapshots(): Promise<string[]>
  /** The tree that a committed snapshot shows. */
  tree(chainId: string): Promise<ReadonlyMap<string, TreeEntry>>
}

/** @param workers the threads; they may be shared */
export async function unpackStores(workers: LayerWorkers): Promise<UnpackStores> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await scratchMount())
  const content = opening.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const snapshotter = opening.use(
    await openOverlaySnapshotter({ root: join(path, 'snapshots'), durability: 'relaxed' }),
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
    inOrder: { ...into, snapshotter: withoutLayerDirectories(snapshotter) },
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
    tree: async (chainId) => {
      const key = `view of ${chainId}`
      const tree = await withTempMount(await snapshotter.view(key, chainId), (mounted) => readTree(mounted))
      await snapshotter.remove(key)
      return tree
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** A snapshotter as one of another host shows it. */
function withoutLayerDirectories(snapshotter: OverlaySnapshotter): Snapshotter {
  const plain: Snapshotter = {
    stat: (...args) => snapshotter.stat(...args),
    usage: (...args) => snapshotter.usage(...args),
    list: (...args) => snapshotter.list(...args),
    mounts: (...args) => snapshotter.mounts(...args),
    prepare: (...args) => snapshotter.prepare(...args),
    view: (...args) => snapshotter.view(...args),
    commit: (...args) => snapshotter.commit(...args),
    remove: (...args) => snapshotter.remove(...args),
    update: (...args) => snapshotter.update(...args),
    cleanup: (...args) => snapshotter.cleanup(...args),
  }
  if (hasLayerDirectories(plain)) throw new Error('the wrapper has layer directories')
  return plain
}
