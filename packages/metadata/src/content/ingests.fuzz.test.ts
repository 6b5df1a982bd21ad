import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { ContentWriter } from '@nsbox/core/content'
import { errorCode } from '@nsbox/errors'
import { type Digest, digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { fuzz } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, expect } from 'vitest'
import { openMetadata } from '../open-metadata.ts'

const dir = await tempDir('nsbox-ingests')
const content = await openContentStore({ root: join(dir.path, 'data'), durability: 'relaxed' })
const metadata = await openMetadata({
  path: join(dir.path, 'metadata.db'),
  content,
  durability: 'relaxed',
  collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
})
afterAll(async () => {
  await metadata[Symbol.asyncDispose]()
  await content[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

const bytes = fc.constantFrom('', 'a', 'b', 'ab', 'abc')
const ref = fc.constantFrom('one', 'two')
const side = fc.constantFrom<0 | 1>(0, 1)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('open' as const),
      side,
      ref,
      total: fc.constantFrom(undefined, 0, 1, 2, 5),
    }),
  },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('write' as const), side, ref, bytes }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('restart' as const), side, ref }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('commit' as const),
      side,
      ref,
      size: fc.constantFrom(undefined, 0, 1, 2),
      expected: fc.constantFrom(undefined, 'a', 'ab', ''),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('close' as const), side, ref }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('abort' as const), side, ref }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('status' as const), side, ref }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), side, bytes }) },
)

interface Ingest {
  written: string
  total: number
  writer: ContentWriter | undefined
}

/** The content of one namespace. */
class Model {
  readonly ingests = new Map<string, Ingest>()
  readonly blobs = new Map<Digest, string>()
}

let runs = 0
fuzz(
  'ingests of two namespaces are what their writers have made of them, whatever the order',
  fc.array(step, { minLength: 5, maxLength: 25 }),
  async (steps) => {
    const number = runs++
    const models = [new Model(), new Model()] as const
    const views = [metadata.namespace(`a${number}`), metadata.namespace(`b${number}`)] as const
    for (const one of steps) {
      const model = models[one.side]
      const { content: store } = views[one.side]
      if (one.op === 'delete') {
        const digest = digestOf(one.bytes)
        const code = await store.delete(digest).then(() => 'ok', errorCode)
        expect(code).toBe(model.blobs.delete(digest) ? 'ok' : 'not_found')
        continue
      }
      const ingest = model.ingests.get(one.ref)
      if (one.op === 'open') {
        const opened = await store.writer({ ref: one.ref, total: one.total }).catch(errorCode)
        if (ingest?.writer !== undefined) expect(opened).toBe('unavailable')
        else if (
          ingest !== undefined &&
          ingest.total !== 0 &&
          (one.total ?? 0) !== 0 &&
          ingest.total !== one.total
        )
          expect(opened).toBe('failed_precondition')
        else {
          if (typeof opened === 'string') throw new Error(`open: ${opened}`)
          // Fields that were unknown at first may be given later.
          const kept = {
            written: ingest?.written ?? '',
            total: ingest?.total || (one.total ?? 0),
            writer: undefined,
          }
          expect(opened.status()).toMatchObject({
            ref: one.ref,
            offset: kept.written.length,
            total: kept.total,
          })
          model.ingests.set(one.ref, { ...kept, writer: opened })
        }
      } else if (one.op === 'abort') {
        const code = await store.abort(one.ref).then(() => 'ok', errorCode)
        expect(code).toBe(ingest === undefined ? 'not_found' : 'ok')
        if (ingest?.writer !== undefined)
          expect(await ingest.writer.write(Buffer.from('lost')).then(() => 'ok', errorCode)).toBe('aborted')
        if (code === 'ok') model.ingests.delete(one.ref)
      } else if (one.op === 'status') {
        const status = await store.status(one.ref).catch(errorCode)
        if (ingest === undefined) expect(status).toBe('not_found')
        else expect(status).toMatchObject({ offset: ingest.written.length, total: ingest.total })
      } else if (ingest?.writer !== undefined) {
        const { writer, written, total } = ingest
        if (one.op === 'write') {
          await writer.write(Buffer.from(one.bytes))
          ingest.written += one.bytes
        } else if (one.op === 'restart') {
          await writer.restart()
          ingest.written = ''
        } else if (one.op === 'close') {
          await writer[Symbol.asyncDispose]()
          ingest.writer = undefined
        } else {
          const digest = digestOf(written)
          const expected = one.expected === undefined ? undefined : digestOf(one.expected)
          const code = await writer
            .commit({ size: one.size, expected })
            .then((info) => info.digest, errorCode)
          ingest.writer = undefined
          const isWrong =
            (one.size ?? (total || written.length)) !== written.length ||
            (expected !== undefined && expected !== digest)
          if (isWrong) expect(code).toBe('failed_precondition')
          else {
            expect(code).toBe(model.blobs.has(digest) ? 'already_exists' : digest)
            model.blobs.set(digest, written)
            model.ingests.delete(one.ref)
          }
        }
      }
    }
    for (const [index, { ingests, blobs }] of models.entries()) {
      const { content: store } = views[index]!
      const statuses = await store.statuses()
      expect(statuses.map(({ ref: name, offset }) => [name, offset]).sort()).toEqual(
        [...ingests].map(([name, { written }]) => [name, written.length]).sort(),
      )
      const listed: string[] = []
      for await (const { digest, size } of store.list()) {
        listed.push(digest)
        let read = ''
        for await (const chunk of store.read(digest)) read += Buffer.from(chunk).toString()
        expect(read).toBe(blobs.get(digest))
        expect(size).toBe(read.length)
      }
      expect(listed.sort()).toEqual([...blobs.keys()].sort())
      for (const [name, { writer }] of ingests) {
        await writer?.[Symbol.asyncDispose]()
        await store.abort(name)
      }
      for (const digest of blobs.keys()) await store.delete(digest)
    }
    return 'accepted'
  },
  { runs: 100 },
)
