import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Descriptor, type Digest, digestOf, labelKeys, mediaTypes } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { put } from '../content/blobs.ts'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { DifferClaims } from './claims.ts'
import { layerArchive } from './layer-names.ts'
import type { CreateDiffer, DifferSubject } from './subject.ts'
import { type ChangeFiles, compareTrees } from './trees.ts'

const nothing: ChangeFiles = async () => undefined
const someFiles: ChangeFiles = async (path) => {
  await mkdir(join(path, 'directory'))
  await writeFile(join(path, 'directory/file'), 'content'.repeat(1000))
}

async function stored({ content }: DifferSubject, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const digest = digestOf(bytes)
  await put(content, { bytes, digest })
  return { mediaType, digest, size: bytes.length }
}

export function applyingTests(create: CreateDiffer, claims: DifferClaims): void {
  describe('applying a layer', () => {
    const test = subjectTest(create)

    test('tells the diff id and the size of its archive', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      const mounts = await subject.snapshotter.prepare('key', undefined)
      const applied = await subject.applier.apply(layer, mounts)
      const { labels } = await subject.content.info(layer.digest)
      expect(applied.diffId).toBe(labels[labelKeys.uncompressed])
      const { diffId } = applied
      const again = await subject.snapshotter.prepare('again', undefined)
      expect((await subject.applier.apply(layer, again, { diffId })).diffId).toBe(diffId)
    })

    test('fails for another diff id than it must have', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      const mounts = await subject.snapshotter.prepare('key', undefined)
      const diffId = digestOf('something else')
      await expectCode(subject.applier.apply(layer, mounts, { diffId }), 'failed_precondition')
    })

    test('fails without its blob', async (subject) => {
      const mounts = await subject.snapshotter.prepare('key', undefined)
      const digest: Digest = digestOf('a blob that nobody has')
      const layer = { mediaType: mediaTypes.ociLayer, digest, size: 22 }
      await expectCode(subject.applier.apply(layer, mounts), 'not_found')
    })

    test('that is empty changes nothing', async (subject) => {
      const layer = await stored(subject, Buffer.alloc(1024), mediaTypes.ociLayer)
      const mounts = await subject.snapshotter.prepare('key', undefined)
      expect((await subject.applier.apply(layer, mounts)).diffId).toBe(layer.digest)
      const names = await subject.withMounts(mounts, async (path) => (await lstat(path)).isDirectory())
      expect(names).toBe(true)
    })

    const checked = subjectTest(create, claims.checkedLayers)

    checked('fails for a snapshot that cannot be written', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      const view = await subject.snapshotter.mounts('lower')
      await expectCode(subject.applier.apply(layer, view), 'failed_precondition')
    })

    checked('fails for a layer that is cut or damaged', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      const archive = await layerArchive(subject.content, layer)
      const damaged = Buffer.from(archive)
      damaged[0] = damaged[0]! ^ 0xff
      for (const [index, bytes] of [archive.subarray(0, 1000), damaged].entries()) {
        const mounts = await subject.snapshotter.prepare(`key ${index}`, undefined)
        const broken = await stored(subject, bytes, mediaTypes.ociLayer)
        await expectCode(subject.applier.apply(broken, mounts), 'data_loss')
      }
    })

    checked('fails for a descriptor with another size', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      for (const size of [layer.size - 1, layer.size + 1]) {
        const mounts = await subject.snapshotter.prepare(`key ${size}`, undefined)
        await expectCode(subject.applier.apply({ ...layer, size }, mounts), 'data_loss')
      }
    })

    checked('does not know types that are no layers, or encrypted ones', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      for (const mediaType of ['text/plain', `${mediaTypes.ociLayerGzip}+encrypted`]) {
        const mounts = await subject.snapshotter.prepare(`key ${mediaType}`, undefined)
        await expectCode(subject.applier.apply({ ...layer, mediaType }, mounts), 'unimplemented')
      }
    })

    test('goes by the bytes where the type names another compression', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      for (const mediaType of [mediaTypes.ociLayerZstd, mediaTypes.dockerLayerGzip]) {
        const mounts = await subject.snapshotter.prepare(`key ${mediaType}`, undefined)
        const applied = await subject.applier.apply({ ...layer, mediaType }, mounts)
        expect(applied.diffId).toBe(digestOf(await layerArchive(subject.content, layer)))
      }
    })

    test('is not done after an abort', async (subject) => {
      const layer = await compareTrees(subject, nothing, someFiles)
      const mounts = await subject.snapshotter.prepare('key', undefined)
      const signal = AbortSignal.abort()
      await expectCode(subject.applier.apply(layer, mounts, { signal }), 'canceled')
    })
  })
}
