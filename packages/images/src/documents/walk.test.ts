import { type Descriptor, type Digest, digestOf, mediaTypes } from '@nsbox/oci'
import { expect, it } from 'vitest'
import { walkImage } from './walk.ts'

/** A store of documents, and a function that stores an index of given manifests. */
function documents() {
  const blobs = new Map<Digest, Uint8Array>()
  return {
    async *read(digest: Digest) {
      yield blobs.get(digest)!
    },
    index(...manifests: Descriptor[]): Descriptor {
      const mediaType = mediaTypes.ociIndex
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
      const digest = digestOf(bytes)
      blobs.set(digest, bytes)
      return { mediaType, digest, size: bytes.length }
    },
  }
}

async function visited(content: ReturnType<typeof documents>, root: Descriptor): Promise<number> {
  let count = 0
  for await (const _descriptor of walkImage(content, root)) count++
  return count
}

it('B06 visits what several documents name once', async () => {
  const content = documents()
  const shared = content.index()
  const root = content.index(content.index(shared), content.index(shared, shared), shared)
  expect(await visited(content, root)).toBe(4)
})

it('B06 refuses a graph that is nested too deep', async () => {
  const content = documents()
  let root = content.index()
  for (let depth = 0; depth < 17; depth++) root = content.index(root)
  await expect(visited(content, root)).rejects.toMatchObject({ code: 'invalid_argument' })
})

it('E04 refuses documents that are too much to have in memory together', async () => {
  const content = documents()
  const filler = (index: number): Descriptor => ({
    mediaType: mediaTypes.ociLayer,
    digest: digestOf(`${index}`),
    size: 1,
    annotations: { filler: 'f'.repeat(200_000) },
  })
  // Each has 4 MB.
  const large = (index: number) =>
    content.index(...Array.from({ length: 19 }, (_, at) => filler(100 * index + at)))
  const few = Array.from({ length: 3 }, (_, index) => large(index))
  expect(await visited(content, content.index(...few, ...few))).toBe(1 + 3 * 20)
  const many = Array.from({ length: 18 }, (_, index) => large(index))
  await expect(visited(content, content.index(...many))).rejects.toMatchObject({ code: 'resource_exhausted' })
})

it('B06 stays quick where every level names the next one many times', async () => {
  const content = documents()
  let root = content.index()
  for (let depth = 0; depth < 16; depth++) root = content.index(...Array.from({ length: 50 }, () => root))
  expect(await visited(content, root)).toBe(17)
})
