import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { objectKey, objectsByKey, type StoredObject, unheld, why } from '@nsbox/core/disk'
import type { Labels } from '@nsbox/core/labels'
import { errorCode, isAlreadyExists, isNotFound } from '@nsbox/errors'
import { type Digest, digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { createClock } from '@nsbox/time'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Metadata, openMetadata } from '../open-metadata.ts'

const namespaces = ['a', 'b']
const seeds = ['s0', 's1', 's2', 's3', 's4']
const names = ['i0', 'i1']
const hour = 60 * 60 * 1000

const namespace = fc.constantFrom(...namespaces)
const seed = fc.constantFrom(...seeds)
const name = fc.constantFrom(...names)
const blobLabels = fc.record({
  // Few roots, or hardly anything would ever be garbage.
  root: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  refs: fc.uniqueArray(seed, { maxLength: 3 }),
  back: fc.option(seed, { nil: undefined }),
})
const maybeHours = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('put' as const),
      ns: namespace,
      seed,
      labels: blobLabels,
      lease: fc.option(name, { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('label' as const), ns: namespace, seed, labels: blobLabels }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), ns: namespace, seed }) },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('image' as const), ns: namespace, name, seed, hours: maybeHours }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('untag' as const), ns: namespace, name }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('lease' as const),
      ns: namespace,
      name,
      flat: fc.boolean(),
      hours: maybeHours,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('hold' as const),
      ns: namespace,
      name,
      seed,
      image: fc.option(name, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('release' as const), ns: namespace, name }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('contain' as const), ns: namespace, name, seed }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('drop' as const), ns: namespace, name }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('expect' as const), ns: namespace, seed }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('collect' as const) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never
type BlobLabels = typeof blobLabels extends fc.Arbitrary<infer T> ? T : never

/** The content of a namespace, in the simplest form. */
class Model {
  blobs = new Map<string, BlobLabels>()
  images = new Map<string, { seed: string; expires: number }>()
  leases = new Map<string, { flat: boolean; expires: number; blobs: Set<string>; images: Set<string> }>()
  ingests = new Map<string, { expires: number }>()
  containers = new Map<string, { seed: string }>()

  /** Removes what nothing keeps: repeats looking for further kept objects until there are none. */
  collect(now: number): void {
    const full = new Set<string>()
    const alone = new Set<string>()
    for (const [id, image] of this.images) if (image.expires > now) full.add(`image ${id}`)
    for (const lease of this.leases.values()) {
      if (lease.expires <= now) continue
      const held = lease.flat ? alone : full
      for (const blob of lease.blobs) held.add(`blob ${blob}`)
      for (const image of lease.images) held.add(`image ${image}`)
    }
    for (const [id, ingest] of this.ingests) if (ingest.expires > now) full.add(`blob ${id}`)
    for (const { seed } of this.containers.values()) full.add(`blob ${seed}`)
    for (const [id, labels] of this.blobs) if (labels.root) full.add(`blob ${id}`)
    for (let before = -1; before !== full.size; ) {
      before = full.size
      for (const [id, image] of this.images) if (full.has(`image ${id}`)) full.add(`blob ${image.seed}`)
      for (const [id, labels] of this.blobs) {
        if (full.has(`blob ${id}`)) for (const ref of labels.refs) full.add(`blob ${ref}`)
        if (labels.back !== undefined && full.has(`blob ${labels.back}`)) full.add(`blob ${id}`)
      }
    }
    const kept = (node: string) => full.has(node) || alone.has(node)
    for (const id of [...this.images.keys()]) if (!kept(`image ${id}`)) this.images.delete(id)
    for (const id of [...this.blobs.keys()]) if (!kept(`blob ${id}`)) this.blobs.delete(id)
    for (const [id, { expires }] of [...this.leases]) if (expires <= now) this.leases.delete(id)
    for (const [id, { expires }] of [...this.ingests]) if (expires <= now) this.ingests.delete(id)
  }
}

function toLabels({ root, refs, back }: BlobLabels): Labels {
  return {
    ...(root && { 'containerd.io/gc.root': 'x' }),
    ...Object.fromEntries(refs.map((ref, index) => [`containerd.io/gc.ref.content.${index}`, digestOf(ref)])),
    ...(back !== undefined && { 'containerd.io/gc.bref.content': digestOf(back) }),
  }
}

/** So much later that only the test's clock gets there. */
const expiry = (now: number, hours: number | undefined) =>
  hours === undefined ? Number.POSITIVE_INFINITY : now + hours * hour

const expireLabel = (expires: number): Labels =>
  Number.isFinite(expires) ? { 'containerd.io/gc.expire': new Date(expires).toISOString() } : {}

async function ignoring(known: (error: unknown) => boolean, operation: Promise<unknown>): Promise<boolean> {
  try {
    await operation
    return true
  } catch (error) {
    if (known(error)) return false
    throw error
  }
}

async function apply(
  metadata: Metadata,
  models: Map<string, Model>,
  step: Operation,
  now: number,
): Promise<void> {
  if (step.op === 'wait') return
  if (step.op === 'collect') {
    await collect(metadata)
    for (const model of models.values()) model.collect(now)
    return
  }
  const model = models.get(step.ns) as Model
  const { images, leases, content, containers } = metadata.namespace(step.ns)
  switch (step.op) {
    case 'put': {
      const digest = digestOf(step.seed)
      const lease = step.lease !== undefined && model.leases.has(step.lease) ? step.lease : undefined
      if (lease !== undefined) model.leases.get(lease)?.blobs.add(step.seed)
      const view = metadata.namespace(step.ns, { lease }).content
      const put = async () => {
        await using writer = await view.writer({ ref: `put ${step.seed}`, expected: digest })
        await writer.write(Buffer.from(step.seed).subarray(writer.status().offset))
        await writer.commit({ labels: toLabels(step.labels) })
      }
      if (await ignoring(isAlreadyExists, put())) model.blobs.set(step.seed, step.labels)
      return
    }
    case 'label': {
      const update = content.update(digestOf(step.seed), { replace: toLabels(step.labels) })
      const done = await ignoring(isNotFound, update)
      expect(done).toBe(model.blobs.has(step.seed))
      if (done) model.blobs.set(step.seed, step.labels)
      return
    }
    case 'remove':
      expect(await ignoring(isNotFound, content.delete(digestOf(step.seed)))).toBe(
        model.blobs.delete(step.seed),
      )
      return
    case 'image': {
      const target = { mediaType: 'x/y', digest: digestOf(step.seed), size: 2 }
      const expires = expiry(now, step.hours)
      const labels = expireLabel(expires)
      if (model.images.has(step.name)) await images.update(step.name, { target, labels: { replace: labels } })
      else await images.create({ name: step.name, target, labels })
      model.images.set(step.name, { seed: step.seed, expires })
      return
    }
    case 'untag':
      expect(await ignoring(isNotFound, images.delete(step.name))).toBe(model.images.delete(step.name))
      return
    case 'lease': {
      const expires = expiry(now, step.hours)
      const labels = { ...expireLabel(expires), ...(step.flat && { 'containerd.io/gc.flat': 'x' }) }
      if (!(await ignoring(isAlreadyExists, leases.create({ id: step.name, labels })))) return
      model.leases.set(step.name, { flat: step.flat, expires, blobs: new Set(), images: new Set() })
      return
    }
    case 'hold': {
      const lease = model.leases.get(step.name)
      const resource =
        step.image === undefined
          ? { type: 'content', id: digestOf(step.seed) }
          : { type: 'images', id: step.image }
      expect(await ignoring(isNotFound, leases.addResource(step.name, resource))).toBe(lease !== undefined)
      if (step.image === undefined) lease?.blobs.add(step.seed)
      else lease?.images.add(step.image)
      return
    }
    case 'release':
      expect(await ignoring(isNotFound, leases.delete(step.name))).toBe(model.leases.delete(step.name))
      return
    case 'contain': {
      const container = {
        ...{ id: step.name, runtime: { name: 'r' }, spec: { typeUrl: 's', value: new Uint8Array() } },
        labels: { 'containerd.io/gc.ref.content': digestOf(step.seed) },
      }
      if (model.containers.has(step.name)) await containers.update(container, ['labels'])
      else await containers.create(container)
      model.containers.set(step.name, { seed: step.seed })
      return
    }
    case 'drop':
      expect(await ignoring(isNotFound, containers.delete(step.name))).toBe(
        model.containers.delete(step.name),
      )
      return
    case 'expect': {
      const opened = async () =>
        (await content.writer({ ref: `expect ${step.seed}`, expected: digestOf(step.seed) }))[
          Symbol.asyncDispose
        ]()
      if (await ignoring(isAlreadyExists, opened()))
        model.ingests.set(step.seed, { expires: now + 24 * hour })
      return
    }
  }
}

/** Collects just what nothing was said to keep before. */
async function collect(metadata: Metadata): Promise<void> {
  const expected: string[][] = []
  for (const ns of namespaces) {
    const objects = await objectsOf(metadata, ns)
    const there = [...objects].filter(([, { isMissing }]) => !isMissing)
    const left = new Set(unheld(objects.values()).map(objectKey))
    for (const [key, object] of there)
      expect([key, why(objects.values(), object)?.length === 0]).toEqual([key, left.has(key)])
    expected.push(there.map(([key]) => key).filter((key) => !left.has(key)))
  }
  await metadata.collect()
  for (const [index, ns] of namespaces.entries()) {
    const there = [...(await objectsOf(metadata, ns))].filter(([, { isMissing }]) => !isMissing)
    expect(there.map(([key]) => key)).toEqual(expected[index])
  }
}

async function objectsOf(metadata: Metadata, ns: string): Promise<Map<string, StoredObject>> {
  const objects: StoredObject[] = []
  for await (const object of metadata.namespace(ns).objects()) objects.push(object)
  return objectsByKey(objects)
}

async function expectSame(metadata: Metadata, models: Map<string, Model>): Promise<void> {
  for (const [ns, model] of models) {
    const view = metadata.namespace(ns)
    const blobs: Digest[] = []
    for await (const { digest } of view.content.list()) blobs.push(digest)
    expect([ns, blobs]).toEqual([ns, [...model.blobs.keys()].map((id) => digestOf(id)).sort()])
    expect((await view.images.list()).map((image) => image.name)).toEqual([...model.images.keys()].sort())
    expect((await view.leases.list()).map((lease) => lease.id)).toEqual([...model.leases.keys()].sort())
    // Every blob in the database can be read.
    for (const id of model.blobs.keys()) {
      let read = ''
      for await (const chunk of view.content.read(digestOf(id))) read += Buffer.from(chunk).toString()
      expect(read).toBe(id)
    }
  }
}

const numRuns = process.env.NSBOX_TEST_LONG ? 2000 : 100

test('after any history exactly what is reachable is left, and a namespace can be emptied and deleted', {
  timeout: process.env.NSBOX_TEST_LONG ? 1_800_000 : 120_000,
}, async () => {
  await using directory = await tempDir('nsbox-property')
  let runs = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 10, maxLength: 60, size: 'max' }),
      fc.constantFrom('shared' as const, 'isolated' as const),
      async (steps, policy) => {
        const path = join(directory.path, String(runs++))
        await using content = await openContentStore({ root: path, durability: 'relaxed' })
        let now = Date.now()
        await using metadata = await openMetadata({
          path: join(path, 'metadata.db'),
          content,
          policy,
          durability: 'relaxed',
          clock: createClock(() => now),
          collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
        })
        const models = new Map(namespaces.map((ns) => [ns, new Model()]))
        for (const step of steps) {
          if (step.op === 'wait') now += step.hours * hour
          await apply(metadata, models, step, now)
          if (step.op === 'collect') await expectSame(metadata, models)
        }
        await collect(metadata)
        for (const model of models.values()) model.collect(now)
        await expectSame(metadata, models)

        for (const ns of namespaces) {
          const view = metadata.namespace(ns)
          for (const { name } of await view.images.list()) await view.images.delete(name)
          for (const { id } of await view.leases.list()) await view.leases.delete(id)
          for await (const { id } of view.containers.list()) await view.containers.delete(id)
          for (const { ref } of await view.content.statuses()) await view.content.abort(ref)
          for await (const { digest } of view.content.list())
            await view.content.update(digest, { replace: {} })
        }
        await metadata.collect()
        for (const { name } of await metadata.namespaces.list()) await metadata.namespaces.delete(name)
        for await (const { digest } of content.list()) expect.unreachable(`${digest} is left`)
        expect(await content.statuses()).toEqual([])
        expect(await metadata.namespace('a').images.get('i0').catch(errorCode)).toBe('not_found')
      },
    ),
    { numRuns, seed: 20261124, endOnFailure: false },
  )
})
