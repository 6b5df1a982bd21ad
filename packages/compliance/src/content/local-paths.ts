import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { type ContentStore, hasLocalPaths, type LocalPaths } from '@nsbox/core/content'
import type { Digest } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { newBlob, put } from './blobs.ts'
import type { ContentStoreClaims } from './claims.ts'
import type { CreateContentStore } from './subject.ts'

export function localPathTests(create: CreateContentStore, { localPaths }: ContentStoreClaims): void {
  describe('local paths', () => {
    subjectTest(create)('are there if they are claimed', async ({ store }) => {
      expect(hasLocalPaths(store)).toBe(localPaths)
    })

    const declare = subjectTest(create, localPaths)
    const test = (name: string, body: (subject: { store: ContentStore & LocalPaths }) => Promise<void>) =>
      declare(name, async ({ store }) => {
        if (hasLocalPaths(store)) await body({ store })
        else expect.fail('no local paths')
      })

    test('lead to the bytes of a blob', async ({ store }) => {
      const blob = newBlob(1000)
      await put(store, blob)
      const path = await store.blobPath(blob.digest)
      expect(isAbsolute(path)).toBe(true)
      expect(new Uint8Array(await readFile(path))).toEqual(blob.bytes)
    })

    test('lead to the bytes of an ingest as they are written', async ({ store }) => {
      const blob = newBlob(1000)
      await using writer = await store.writer({ ref: 'layer' })
      const path = await store.ingestPath('layer')
      expect(isAbsolute(path)).toBe(true)
      expect(await readFile(path)).toHaveLength(0)
      await writer.write(blob.bytes.subarray(0, 600))
      expect(new Uint8Array(await readFile(path))).toEqual(blob.bytes.subarray(0, 600))
      await writer.restart()
      expect(await readFile(path)).toHaveLength(0)
      await writer.write(blob.bytes)
      expect(await store.ingestPath('layer')).toBe(path)
      expect(new Uint8Array(await readFile(path))).toEqual(blob.bytes)
    })

    test('lead to the bytes of an ingest whose writer is closed, and nowhere once it is a blob', async ({
      store,
    }) => {
      const blob = newBlob(10)
      const first = await store.writer({ ref: 'layer' })
      await first.write(blob.bytes)
      await first[Symbol.asyncDispose]()
      expect(new Uint8Array(await readFile(await store.ingestPath('layer')))).toEqual(blob.bytes)
      await using writer = await store.writer({ ref: 'layer' })
      await writer.commit()
      await expectCode(store.ingestPath('layer'), 'not_found')
    })

    test('are refused for what is not there', async ({ store }) => {
      await put(store, newBlob(10))
      await expectCode(store.blobPath(newBlob(11).digest), 'not_found')
      await expectCode(store.ingestPath('none'), 'not_found')
    })

    test('B04 are refused for what is no digest', async ({ store }) => {
      for (const digest of ['', 'sha256:../../etc/passwd', `md5:${'0'.repeat(32)}`, '__proto__'])
        await expectCode(store.blobPath(digest as Digest), 'invalid_argument')
    })

    test('are told nobody who has given up already', async ({ store }) => {
      const reason = new Error('the caller gave up')
      const signal = AbortSignal.abort(reason)
      const blob = newBlob(10)
      await put(store, blob)
      await using _writer = await store.writer({ ref: 'layer' })
      await expect(store.blobPath(blob.digest, { signal })).rejects.toBe(reason)
      await expect(store.ingestPath('layer', { signal })).rejects.toBe(reason)
    })
  })
}
