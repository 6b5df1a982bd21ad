import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf, labelKeys, mediaTypes } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { type SubjectTest, subjectTest } from '../subject-test.ts'
import type { DifferClaims } from './claims.ts'
import { layerArchive } from './layer-names.ts'
import type { CreateDiffer, DifferSubject } from './subject.ts'
import { appliedToBase, type ChangeFiles, compareTrees, describeTree, makePair } from './trees.ts'

const nothing: ChangeFiles = async () => undefined
const oneFile: ChangeFiles = (path) => writeFile(join(path, 'file'), 'content')

export function storingTests(create: CreateDiffer, claims: DifferClaims): void {
  describe('the blob of a layer', () => {
    const test = subjectTest(create)

    test('is compressed with gzip by default and tells its diff id', async (subject) => {
      const layer = await compareTrees(subject, nothing, oneFile)
      expect(layer.mediaType).toBe(mediaTypes.ociLayerGzip)
      const { size, labels } = await subject.content.info(layer.digest)
      const archive = await layerArchive(subject.content, layer)
      expect(size).toBe(layer.size)
      expect(labels[labelKeys.uncompressed]).toBe(digestOf(archive))
      expect(archive.length).toBeGreaterThan(layer.size)
    })

    for (const mediaType of [mediaTypes.ociLayer, mediaTypes.ociLayerGzip]) madeAs(test, claims, mediaType)
    for (const mediaType of [
      mediaTypes.ociLayerZstd,
      mediaTypes.dockerLayer,
      mediaTypes.dockerLayerGzip,
      mediaTypes.dockerLayerZstd,
    ])
      madeAs(subjectTest(create, claims.allMediaTypes), claims, mediaType)

    test('of a type that is no layer is not made', async (subject) => {
      const { lower, upper } = await makePair(subject, nothing, oneFile)
      for (const mediaType of ['text/plain', `${mediaTypes.ociLayer}+encrypted`])
        await expectCode(subject.comparer.compare(lower, upper, { mediaType }), 'unimplemented')
      expect(await subject.content.statuses()).toEqual([])
    })

    test('gets labels', async (subject) => {
      const labels = { 'example.com/one': '1' }
      const layer = await compareTrees(subject, nothing, oneFile, { labels })
      expect((await subject.content.info(layer.digest)).labels).toMatchObject(labels)
    })

    subjectTest(create, claims.labelsOfExisting && claims.sameBytes)(
      'gets labels besides those that it has, if it exists already',
      async (subject) => {
        const { lower, upper } = await makePair(subject, nothing, oneFile)
        const { digest } = await subject.comparer.compare(lower, upper, { labels: { a: '1', b: '1' } })
        await subject.content.update(digest, { replace: { a: '1', b: '1' } })
        await subject.comparer.compare(lower, upper, { labels: { b: '2', c: '2' } })
        const { labels } = await subject.content.info(digest)
        expect(labels).toMatchObject({ a: '1', b: '2', c: '2' })
        expect(labels[labelKeys.uncompressed]).toMatch(/^sha256:/)
      },
    )

    test('replaces what an ingest of its name held before, and leaves none', async (subject) => {
      const ref = 'a layer'
      {
        await using writer = await subject.content.writer({ ref })
        await writer.write(Buffer.from('something else'))
      }
      const layer = await compareTrees(subject, nothing, oneFile, { ref })
      expect(await layerArchive(subject.content, layer)).not.toHaveLength(0)
      expect(await subject.content.statuses()).toEqual([])
    })

    test('is not written while its ref is in use', async (subject) => {
      const { lower, upper } = await makePair(subject, nothing, oneFile)
      await using writer = await subject.content.writer({ ref: 'busy' })
      await writer.write(Buffer.from('mine'))
      await expectCode(subject.comparer.compare(lower, upper, { ref: 'busy' }), 'unavailable')
      expect(writer.status().offset).toBe(4)
      expect(await subject.content.statuses()).toHaveLength(1)
    })

    test('is not made after an abort', async (subject) => {
      const { lower, upper } = await makePair(subject, nothing, oneFile)
      const signal = AbortSignal.abort()
      await expectCode(subject.comparer.compare(lower, upper, { signal }), 'canceled')
      expect(await subject.content.statuses()).toEqual([])
    })
  })
}

function madeAs(test: SubjectTest<DifferSubject>, claims: DifferClaims, mediaType: string): void {
  test(`is made as ${mediaType}`, async (subject) => {
    const layer = await compareTrees(subject, nothing, oneFile, { mediaType })
    expect(layer.mediaType).toBe(mediaType)
    const wanted = await describeTree(subject, await subject.snapshotter.mounts('upper'), claims)
    expect(await describeTree(subject, await appliedToBase(subject, layer), claims)).toEqual(wanted)
    const label = (await subject.content.info(layer.digest)).labels[labelKeys.uncompressed]
    if (mediaType === mediaTypes.ociLayer) expect(label ?? layer.digest).toBe(layer.digest)
    else if (mediaType !== mediaTypes.dockerLayer) expect(label).toMatch(/^sha256:/)
  })
}
