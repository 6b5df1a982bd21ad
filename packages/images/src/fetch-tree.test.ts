import { deferred } from '@nsbox/concurrency'
import { openContentStore } from '@nsbox/content'
import type { ContentStore } from '@nsbox/core/content'
import { tempDir } from '@nsbox/testing'
import { expect, it } from 'vitest'
import { fetchImage } from './pull.ts'
import { imageInMemory, remoteOf } from './testing/image-in-memory.ts'

const layer = (name: string) => ({ entries: [{ name, content: name }] })

it('receives the next blob while one goes to the disk', async () => {
  await using dir = await tempDir('nsbox-fetch')
  await using store = await openContentStore({ root: dir.path, durability: 'relaxed' })
  const image = imageInMemory([layer('a'), layer('longer')])
  const begun = [deferred(), deferred()]
  let layers = 0
  const remote = remoteOf(image, (blob, { digest }, offset) => {
    if (image.layers.some((each) => each.digest === digest)) begun[layers++]?.resolve()
    return [blob.subarray(offset)]
  })
  // The first layer's commit ends only once the second is being received.
  const content: ContentStore = Object.create(store, {
    writer: {
      value: async (...args: Parameters<ContentStore['writer']>) => {
        const writer = await store.writer(...args)
        const commit = writer.commit.bind(writer)
        if (args[0].ref.startsWith('layer-'))
          writer.commit = async (options) => {
            await begun[1]?.promise
            return await commit(options)
          }
        return writer
      },
    },
    read: { value: store.read.bind(store) },
    info: { value: store.info.bind(store) },
    update: { value: store.update.bind(store) },
  })
  await fetchImage({ remote, content, concurrency: 1 })
  expect(layers).toBe(2)
})
