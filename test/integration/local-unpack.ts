import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { LayerWorkers, workerApplier } from '@nsbox/diff'
import { unpack } from '@nsbox/images'
import { withTempMount } from '@nsbox/mount'
import { parseDigest, parsePlatform } from '@nsbox/oci'
import { type BuiltImage, hostPlatform } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** Unpacks images in this process. */
export interface LocalUnpack extends AsyncDisposable {
  /** Runs `use` on the mounted file system of an image, unpacked by a snapshotter. */
  withImage<T>(image: BuiltImage, snapshotter: Snapshotter, use: (path: string) => Promise<T>): Promise<T>
}

/** @param directory for blobs */
export async function localUnpack(directory: string): Promise<LocalUnpack> {
  await using opening = new AsyncDisposableStack()
  const content = opening.use(await openContentStore({ root: directory, durability: 'relaxed' }))
  const workers = opening.use(new LayerWorkers())
  const applier = workerApplier({ workers, blobPath: (digest) => content.blobPath(digest) })
  const { os, architecture } = hostPlatform

  async function add({ layout }: BuiltImage): Promise<void> {
    const blobs = join(layout, 'blobs/sha256')
    for (const name of await readdir(blobs)) {
      const digest = parseDigest(`sha256:${name}`)
      if (await exists(digest)) continue
      await using writer = await content.writer({ ref: digest })
      for await (const chunk of createReadStream(join(blobs, name))) await writer.write(chunk)
      await writer.commit({ expected: digest })
    }
  }

  async function exists(digest: ReturnType<typeof parseDigest>): Promise<boolean> {
    for await (const _ of content.list([`digest==${digest}`])) return true
    return false
  }

  const opened = opening.move()
  return {
    async withImage(image, snapshotter, use) {
      await add(image)
      const { mediaType, digest, size } = image.target
      const { chainId } = await unpack(
        { mediaType, digest: parseDigest(digest), size },
        {
          content,
          snapshotter,
          snapshotterName: 'local',
          applier,
          platform: parsePlatform(`${os}/${architecture}`),
        },
      )
      const key = `view of ${chainId}`
      const result = await withTempMount(await snapshotter.view(key, chainId), use)
      await snapshotter.remove(key)
      return result
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
