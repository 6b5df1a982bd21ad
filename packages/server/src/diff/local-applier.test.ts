import type { LayerWorkers } from '@nsbox/diff'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { beforeEach, expect, it, vi } from 'vitest'
import { localApplier } from './local-applier.ts'
import { openSnapshot, syncDirectory } from './sync-snapshot.ts'

vi.mock('./sync-snapshot.ts', () => ({ openSnapshot: vi.fn(), syncDirectory: vi.fn() }))

let size = 5_000_000
const directory = {} as Awaited<ReturnType<typeof openSnapshot>>
const sync = vi.mocked(syncDirectory)
const digest = digestOf(Buffer.from('layer'))
const layer = { mediaType: mediaTypes.ociLayer, digest, size: 5 }
const mounts = [{ type: 'bind', source: '/snapshot', options: ['rw', 'rbind'] }]
const workers = {
  apply: async () => ({ diffId: digest, size, implied: [], entries: 0, skipped: [] }),
} as unknown as LayerWorkers
const content = { blobPath: async () => '/blob' }

beforeEach(() => {
  sync.mockReset()
  vi.mocked(openSnapshot).mockReset().mockResolvedValue(directory)
  size = 5_000_000
})

it('begins to write a large layer once it is applied, without waiting for the disk', async () => {
  let written = () => {}
  sync.mockReturnValue(
    new Promise((resolve) => {
      written = resolve
    }),
  )
  const applier = localApplier(workers, content, { writeEarly: true })
  await applier.apply(layer, mounts)
  expect(vi.mocked(openSnapshot).mock.calls).toEqual([[mounts]])
  expect(sync.mock.calls).toEqual([[directory]])
  let disposed = false
  const disposing = applier[Symbol.asyncDispose]().then(() => {
    disposed = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(disposed).toBe(false)
  written()
  await disposing
})

it('leaves it to the commit to say what the disk does not take', async () => {
  sync.mockRejectedValue(new Error('EIO'))
  await using applier = localApplier(workers, content, { writeEarly: true })
  await expect(applier.apply(layer, mounts)).resolves.toMatchObject({ diffId: digest })
})

it('leaves writing to the commit unless asked', async () => {
  await using applier = localApplier(workers, content)
  await applier.apply(layer, mounts)
  expect(sync).not.toHaveBeenCalled()
})

it('leaves small layers to the commit', async () => {
  size = 5
  await using applier = localApplier(workers, content, { writeEarly: true })
  await applier.apply(layer, mounts)
  expect(sync).not.toHaveBeenCalled()
})
