import type { ContentReader } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '@nsbox/oci'
import { Timestamp } from '@nsbox/time'
import { expect, it } from 'vitest'
import { imageTree } from './image-tree.ts'

const time = Timestamp.parse('2026-01-02T03:04:05.6Z')

/** A store of blobs, and functions that fill it. */
function blobs() {
  const stored = new Map<Digest, Uint8Array>()
  const content: Pick<ContentReader, 'info' | 'read'> = {
    async info(digest) {
      const size = stored.get(digest)?.byteLength
      if (size === undefined) throw new NsboxError('not_found', digest)
      return { digest, size, labels: { a: '\u202e' }, createdAt: time, updatedAt: time }
    },
    async *read(digest) {
      yield stored.get(digest)!
    },
  }
  const add = (mediaType: string, text: string): Descriptor => {
    const bytes = Buffer.from(text)
    const digest = digestOf(bytes)
    stored.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const index = (manifests: readonly Descriptor[], padding = '') => {
    const mediaType = mediaTypes.ociIndex
    return add(mediaType, JSON.stringify({ schemaVersion: 2, mediaType, manifests }) + padding)
  }
  const manifest = (config: Descriptor) => {
    const mediaType = mediaTypes.ociManifest
    return add(mediaType, JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }))
  }
  return { content, stored, add, index, manifest }
}

async function shown(content: ReturnType<typeof blobs>['content'], target: Descriptor, documents = false) {
  const image = { name: 'a', target, labels: {}, createdAt: time, updatedAt: time }
  const lines: string[] = []
  for await (const line of imageTree(content, image, { documents })) lines.push(line)
  return lines
}

it('E13 shows labels and documents in full, and that a config is absent', async () => {
  const { content, stored, add, manifest } = blobs()
  const config = add(mediaTypes.ociConfig, '{"a":[1,"<"],"b":{}}')
  const target = manifest(config)
  const lines = await shown(content, target, true)
  expect(lines.slice(0, 3)).toEqual([
    'a',
    '│    Created: 2026-01-02 03:04:05.6 +0000 UTC',
    '│    Updated: 2026-01-02 03:04:05.6 +0000 UTC',
  ])
  expect(lines.slice(-13)).toEqual([
    `    └── ${config.mediaType} @${config.digest} (20 bytes)`,
    '        ┌────────Labels─────────',
    '        │"a": "\\u202e"',
    '        └───────────────────────',
    '        ┌────────Content────────',
    '        │{',
    '        │   "a": [',
    '        │      1,',
    '        │      "<"',
    '        │   ],',
    '        │   "b": {}',
    '        │}',
    '        └───────────────────────',
  ])
  stored.delete(config.digest)
  expect((await shown(content, target, true)).at(-1)).toBe(
    '         Content does not exist locally, skipping',
  )
})

it('refuses a config that is no JSON', async () => {
  const { content, add, manifest } = blobs()
  const target = manifest(add(mediaTypes.ociConfig, '{'))
  await expect(shown(content, target, true)).rejects.toMatchObject({ code: 'invalid_argument' })
  expect(await shown(content, target)).toHaveLength(5)
})

it('B06 refuses an image that is nested too deep', async () => {
  const { content, index } = blobs()
  let root = index([])
  for (let depth = 0; depth < 17; depth++) root = index([root])
  await expect(shown(content, root)).rejects.toMatchObject({ code: 'invalid_argument' })
})

it('B06 counts a document each time that it is shown', async () => {
  const { content, index } = blobs()
  const large = index([], ' '.repeat(4_000_000))
  await expect(shown(content, index(Array.from({ length: 17 }, () => large)))).rejects.toMatchObject({
    code: 'resource_exhausted',
  })
})
