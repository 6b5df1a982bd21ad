import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Remote } from '@nsbox/core/transfer'
import { LayerWorkers } from '@nsbox/diff'
import { chainIds, parseDigest } from '@nsbox/oci'
import { createRegistry } from '@nsbox/registry'
import {
  buildImage,
  busyboxLayer,
  compareTrees,
  filesLayer,
  pushImage,
  randomLayer,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { sequentialTree } from '../testing/sequential-tree.ts'
import { unpackStores } from '../testing/unpack-stores.ts'
import { fetchImage } from './pull.ts'

const programs = ['docker-registry', 'skopeo', 'busybox', 'python3']

describeWith({ root: true, linux: true, programs }, 'an image of a registry', () => {
  test('is unpacked while it is downloaded, on after an interruption, and not a second time', async () => {
    await using workers = new LayerWorkers({ threads: 2 })
    await using stores = await unpackStores(workers)
    await using registry = await startRegistry()
    await using layout = await tempDir('nsbox-layout')
    const layers = [await busyboxLayer(), randomLayer(1, 3_000_000), filesLayer({ 'etc/top': 'top' })]
    const image = await buildImage(layout.path, { layers })
    const { reference } = await pushImage(image, registry, 'library/busybox:1')
    await using client = createRegistry()
    const remote = client.remote(reference)
    const [manifest] = image.manifests
    const random = manifest!.layers[1]!

    const stop = new AbortController()
    const interrupted: Remote = {
      reference,
      resolve: (options) => remote.resolve(options),
      push: (...args) => remote.push(...args),
      async *fetch(descriptor, options) {
        let received = 0
        for await (const chunk of remote.fetch(descriptor, options)) {
          yield chunk
          received += chunk.byteLength
          if (descriptor.digest === random.digest && received > 1_000_000) stop.abort()
        }
      },
    }
    const options = { content: stores.content, unpack: [stores.into] }
    await expect(fetchImage({ remote: interrupted, ...options, signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect((await stores.snapshots()).filter((name) => !name.startsWith('committed'))).toEqual([])

    const { bytesReceived, unpacked } = await fetchImage({ remote, ...options })
    expect(bytesReceived).toBeLessThan(manifest!.layers.reduce((sum, { size }) => sum + size, 0))
    const chainId = chainIds(manifest!.layers.map(({ diffId }) => parseDigest(diffId))).at(-1)!
    expect(unpacked).toMatchObject([{ chainId }])
    const blob = ({ digest }: { digest: string }) =>
      readFile(join(layout.path, 'blobs', digest.replace(':', '/')))
    const tars = await Promise.all(
      manifest!.layers.map(async (layer) => ({ tar: gunzipSync(await blob(layer)) })),
    )
    const sequential = await sequentialTree({ layers: tars })
    // No entry describes the root.
    const ignore = (name: string, field: string) => name === '.' && field === 'mtime'
    expect(compareTrees(sequential, await stores.tree(chainId), { ignore })).toEqual([])

    const again = await fetchImage({ remote, ...options })
    expect(again).toMatchObject({ bytesReceived: 0, unpacked: [{ chainId, applied: 0 }] })
  })
})
