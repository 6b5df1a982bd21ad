import { join } from 'node:path'
import { type DifferSubject, differSuite } from '@nsbox/compliance/diff'
import { openContentStore } from '@nsbox/content'
import { withTempMount } from '@nsbox/mount'
import { type Digest, digestHex } from '@nsbox/oci'
import { openNativeSnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll } from 'vitest'
import { workerApplier } from '../apply/worker-applier.ts'
import { LayerWorkers } from '../pool/layer-workers.ts'
import { localComparer } from './local-comparer.ts'

type OpenSnapshotter = typeof openNativeSnapshotter | typeof openOverlaySnapshotter

async function localDiffer(workers: LayerWorkers, open: OpenSnapshotter): Promise<DifferSubject> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await scratchMount())
  const snapshotter = stack.use(await open({ root: join(path, 'snapshots'), durability: 'relaxed' }))
  const content = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const blobPath = async (digest: Digest) => {
    await content.info(digest)
    return join(path, 'content/blobs/sha256', digestHex(digest))
  }
  const owned = stack.move()
  return {
    snapshotter,
    content,
    applier: workerApplier({ workers, blobPath }),
    comparer: localComparer({ workers, content }),
    withMounts: withTempMount,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describeWith({ root: true, linux: true }, 'local', () => {
  // One for all tests, since a thread takes most of a second to start from sources.
  const workers = new LayerWorkers({ threads: 1 })
  afterAll(() => workers[Symbol.asyncDispose]())
  differSuite('local, of overlays', () => localDiffer(workers, openOverlaySnapshotter))
  differSuite('local, of copies', () => localDiffer(workers, openNativeSnapshotter))
})
