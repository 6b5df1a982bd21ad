import { setImmediate as later } from 'node:timers/promises'
import { isNotFound } from '@nsbox/errors'
import { type Digest, digestOf } from '@nsbox/oci'
import { describe, expect, test } from 'vitest'
import { withSubject } from '../testing/collector-subject.ts'

/** Calls `turn` in each turn of the event loop until a collection has ended. @returns the number of turns */
async function during(collection: Promise<unknown>, turn: (count: number) => Promise<void>): Promise<number> {
  let ended = false
  const ending = collection.finally(() => {
    ended = true
  })
  let count = 0
  for (; !ended; count++) {
    await turn(count)
    await later()
  }
  await ending
  return count
}

const refersTo = (...digests: readonly Digest[]) =>
  Object.fromEntries(digests.map((digest, index) => [`containerd.io/gc.ref.content.${index}`, digest]))

describe('E08 a collection', () => {
  test(
    'lets others have their turn while it follows many references',
    () =>
      withSubject(async (subject) => {
        const kept = await subject.blob('kept')
        for (let image = 0; image < 8; image++) {
          const absent = Array.from({ length: 10_000 }, (_, index) => digestOf(`${image}/${index}`))
          await subject.image(`image-${image}`, kept, refersTo(...absent))
        }
        const turns = await during(subject.metadata.collect(), async () => {})
        // 80,000 references, of which hardly more than a thousand are read in a millisecond.
        expect(turns).toBeGreaterThanOrEqual(8)
        expect(await subject.blobs()).toEqual([kept])
      }),
    60_000,
  )

  test(
    'keeps what an image, a label or a lease comes to refer to while it runs, with all that it refers to',
    () =>
      withSubject(async (subject) => {
        const { content, images, leases } = subject.ns
        const chains: { readonly top: Digest; readonly bottom: Digest }[] = []
        for (let index = 0; index < 150; index++) {
          const bottom = await subject.blob(`bottom-${index}`)
          chains.push({ bottom, top: await subject.blob(`top-${index}`, refersTo(bottom)) })
        }
        const holder = await subject.blob('holder', { 'containerd.io/gc.root': 'yes' })
        const lease = await leases.create()
        const saved: Digest[] = []
        const save = [
          (top: Digest) => subject.image(`image-${top}`, top),
          (top: Digest) =>
            content.update(holder, { merge: { [`containerd.io/gc.ref.content.${top}`]: top } }),
          (top: Digest) => leases.addResource(lease.id, { type: 'content', id: top }),
        ]
        const turns = await during(subject.metadata.collect(), async (count) => {
          const chain = chains[count]
          if (chain === undefined) return
          const there = await content.info(chain.top).then(
            () => true,
            (error: unknown) => {
              if (!isNotFound(error)) throw error
              return false
            },
          )
          await save[count % save.length]!(chain.top)
          // If it had been removed in between, it would be gone.
          if (!there || (await content.info(chain.top).catch(() => undefined)) === undefined) return
          saved.push(chain.top, chain.bottom)
        })
        expect(turns).toBeGreaterThan(2)
        expect(saved.length).toBeGreaterThan(0)
        const left = await subject.blobs()
        expect(saved.filter((digest) => !left.includes(digest))).toEqual([])
        // What was not held in time is removed by the next collection at the latest.
        await subject.metadata.collect()
        for (const { name } of await images.list()) await images.delete(name)
        await leases.delete(lease.id)
        await content.update(holder, { replace: { 'containerd.io/gc.root': 'yes' } })
        await subject.expectLeft(holder)
      }),
    60_000,
  )

  test('tells of an image that somebody deletes meanwhile once', () =>
    withSubject(
      async (subject) => {
        const digest = await subject.blob('kept')
        const expired = { 'containerd.io/gc.expire': new Date(1000).toISOString() }
        const names = Array.from({ length: 20 }, (_, index) => `image-${index}`)
        for (const name of names) await subject.image(name, digest, expired)
        await during(subject.metadata.collect(), async (count) => {
          const name = names[count]
          if (name !== undefined) await subject.ns.images.delete(name).catch(() => {})
        })
        const told = subject.events.flatMap(([, { topic, ...event }]) =>
          topic === '/images/delete' && 'payload' in event ? [(event.payload as { name: string }).name] : [],
        )
        expect([...told].sort()).toEqual([...names].sort())
      },
      { now: () => 2000 },
    ))
})
