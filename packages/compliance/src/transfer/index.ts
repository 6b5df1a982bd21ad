import type { ContentReader } from '@nsbox/core/content'
import type { ImageStore } from '@nsbox/core/images'
import type { TransferProgress, Transferrer } from '@nsbox/core/transfer'
import type { Digest, Platform } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'

/** A transferrer, its image store, and a registry for it. */
export interface TransferSubject extends AsyncDisposable {
  readonly transferrer: Transferrer
  readonly images: ImageStore
  readonly content: Pick<ContentReader, 'info'>
  readonly registry: {
    /** An image for one platform in the registry. */
    readonly reference: string
    readonly digest: Digest
    /** An index in the registry, for these two platforms. */
    readonly index: string
    readonly platforms: readonly [Platform, Platform]
    /** The digests of the index's manifests, in the same order. */
    readonly manifests: readonly [Digest, Digest]
    /** A reference that the registry accepts and does not have. */
    readonly free: string
    /** The digest of a reference in the registry now; `undefined` if there is none. */
    digestOf(reference: string): Promise<string | undefined>
  }
}

/**
 * Declares, for vitest, the tests of everything that a transferrer promises.
 *
 * @param name says which it is, in the tests' names
 * @param create makes one with an empty image store for each test
 */
export function transferSuite(name: string, create: () => Promise<TransferSubject>): void {
  describe(`transfer: ${name}`, () => {
    const test = subjectTest(create)

    test('pulls under the name and labels asked for, and tells how it goes on', async (subject) => {
      const { transferrer, images, registry } = subject
      const told: TransferProgress[] = []
      await transferrer.transfer(
        { kind: 'registry', reference: registry.reference },
        { kind: 'image', name: 'mine', labels: { a: '1' } },
        { onProgress: (progress) => told.push(progress) },
      )
      const image = await images.get('mine')
      expect({ ...image.labels }).toMatchObject({ a: '1' })
      expect(image.target.digest).toBe(registry.digest)
      const manifest = `manifest-${registry.digest}`
      expect(told.some((progress) => progress.name === manifest)).toBe(true)
      const layers = told.filter((progress) => progress.name.startsWith('layer-'))
      expect(layers.every(({ parents }) => parents.includes(manifest))).toBe(true)
      expect(layers.at(-1)).toMatchObject({ event: 'complete' })
      expect(layers.at(-1)!.progress).toBe(layers.at(-1)!.total)
    })

    test('points an image that exists to what was pulled, and keeps its labels', async (subject) => {
      const { transferrer, images, registry } = subject
      const destination = { kind: 'image', name: 'mine' } as const
      await transferrer.transfer(
        { kind: 'registry', reference: registry.index },
        { ...destination, labels: { a: '1' } },
      )
      await transferrer.transfer({ kind: 'registry', reference: registry.reference }, destination)
      const image = await images.get('mine')
      expect(image.target.digest).toBe(registry.digest)
      expect({ ...image.labels }).toMatchObject({ a: '1' })
    })

    test('takes the chosen platforms of an index, all of them if none is chosen', async (subject) => {
      const { transferrer, content, registry } = subject
      const present = async () =>
        await Promise.all(
          registry.manifests.map((digest) =>
            content.info(digest).then(
              () => true,
              () => false,
            ),
          ),
        )
      const source = { kind: 'registry', reference: registry.index } as const
      const platforms = [registry.platforms[1]]
      await transferrer.transfer(source, { kind: 'image', name: 'mine', platforms })
      expect(await present()).toEqual([false, true])
      await transferrer.transfer(source, { kind: 'image', name: 'mine' })
      expect(await present()).toEqual([true, true])
    })

    test('pushes what it pulled, and gives images further names', async (subject) => {
      const { transferrer, images, registry } = subject
      await transferrer.transfer(
        { kind: 'registry', reference: registry.index },
        { kind: 'image', name: 'mine' },
      )
      const { target } = await images.get('mine')
      await transferrer.transfer(
        { kind: 'image', name: 'mine' },
        { kind: 'registry', reference: registry.free },
      )
      expect(await registry.digestOf(registry.free)).toBe(target.digest)
      await transferrer.transfer({ kind: 'image', name: 'mine' }, { kind: 'image', name: 'other' })
      expect((await images.get('other')).target.digest).toBe(target.digest)
    })

    test('says what is wrong, and records nothing', async (subject) => {
      const { transferrer, images, registry } = subject
      const mine = { kind: 'image', name: 'mine' } as const
      const at = (reference: string) => ({ kind: 'registry', reference }) as const
      await expectCode(transferrer.transfer(at(`${registry.reference}-absent`), mine), 'not_found')
      await expectCode(transferrer.transfer(at('NO/reference'), mine), 'invalid_argument')
      await expectCode(transferrer.transfer(mine, at(registry.free)), 'not_found')
      expect(await images.list()).toEqual([])
      expect(await registry.digestOf(registry.free)).toBeUndefined()
    })

    test('does nothing for a caller who has given up', async (subject) => {
      const { transferrer, images, registry } = subject
      const reason = new Error('given up')
      const pulling = transferrer.transfer(
        { kind: 'registry', reference: registry.reference },
        { kind: 'image', name: 'mine' },
        { signal: AbortSignal.abort(reason) },
      )
      await expect(pulling).rejects.toBe(reason)
      expect(await images.list()).toEqual([])
    })
  })
}
