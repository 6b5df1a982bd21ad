import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { ContentStore } from '@nsbox/core/content'
import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { openOverlaySnapshotter } from '@nsbox/snapshots'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import type { Answers } from '../database/ledger.ts'
import { type SlowDisk, watch, withSlowDisk } from '../testing/slow-disk.ts'
import { namesOf } from '../testing/snapshot-sandbox.ts'

const layer = { mediaType: mediaTypes.ociLayer, digest: digestOf('layer'), size: 5 }

/** A snapshotter view, the metadata's slow disk, and the snapshotter below, which is on a quick one. */
interface Subject {
  readonly snapshotter: Snapshotter
  readonly disk: SlowDisk
  readonly backend: Snapshotter
  /** Of snapshots without a parent, which may still be shared. */
  readonly mounts: Readonly<Record<'fresh' | 'applied', readonly Mount[]>>
}

async function withSnapshots(
  body: (subject: Subject) => Promise<void>,
  answers: Answers = 'durable',
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await scratchMount())
  const backend = stack.use(await openOverlaySnapshotter({ root: join(path, 'overlayfs') }))
  await withSlowDisk(
    async (disk) => {
      const { snapshotter: snapshotters, content, applier } = disk.metadata.namespace('ns')
      const snapshotter = snapshotters('overlayfs')
      await snapshotter.prepare('key', undefined)
      await snapshotter.commit('base', 'key')
      await snapshotter.prepare('work', 'base')
      const fresh = await snapshotter.prepare('fresh', undefined)
      const applied = await snapshotter.prepare('applied', undefined)
      await store(content, 'layer')
      const nothing = { diffId: layer.digest, size: 0, implied: [] }
      await applier({ apply: async () => nothing }).apply(layer, applied)
      await body({ snapshotter, disk, backend, mounts: { fresh, applied } })
    },
    { snapshotters: new Map([['overlayfs', backend]]), answers },
  )
}

async function store(content: ContentStore, text: string): Promise<void> {
  await using writer = await content.writer({ ref: text })
  await writer.write(Buffer.from(text))
  await writer.commit({ expected: digestOf(text) })
}

type Change = (subject: Subject) => Promise<unknown>

const changes: Readonly<Record<string, Change>> = {
  'preparing a snapshot': ({ snapshotter }) => snapshotter.prepare('more', 'base'),
  'viewing a snapshot': ({ snapshotter }) => snapshotter.view('more', 'base'),
  'committing a snapshot': ({ snapshotter }) => snapshotter.commit('top', 'work'),
  'removing a snapshot': ({ snapshotter }) => snapshotter.remove('work'),
  'labelling a snapshot': ({ snapshotter }) => snapshotter.update('base', { merge: { a: '1' } }),
  'storing a blob': ({ disk }) => store(disk.metadata.namespace('ns').content, 'blob'),
}

/** Calls after which others may write to a snapshot that the server has made. */
const warnings: Readonly<Record<string, (subject: Subject, key: 'fresh' | 'applied') => Promise<unknown>>> = {
  'telling of mounts': ({ snapshotter }, key) => snapshotter.mounts(key),
  'the notice that a task writes': ({ disk, mounts }, key) =>
    disk.metadata.use('ns', { mounts: mounts[key] }),
}

/** Expects that a call waits for a disk that is held, and succeeds once it is released. */
async function endsWithTheDisk(disk: SlowDisk, started: Promise<unknown>): Promise<void> {
  const operation = watch(started)
  await expect.poll(disk.begun).toBeGreaterThan(0)
  await setTimeout(5)
  expect(operation.settled).toBe(false)
  disk.release()
  expect(await operation.end).not.toBeInstanceOf(Error)
}

function waits(change: Change, answers: Answers): Promise<void> {
  return withSnapshots(async (subject) => {
    subject.disk.hold()
    await endsWithTheDisk(subject.disk, change(subject))
  }, answers)
}

function keepsWhatIsNotOnDisk(answers: Answers): Promise<void> {
  return withSnapshots(async ({ snapshotter, disk, backend }) => {
    disk.hold()
    const collecting = watch(disk.metadata.collect())
    await expect.poll(disk.begun).toBeGreaterThan(0)
    await setTimeout(5)
    expect(await namesOf(backend)).toHaveLength(4)
    disk.release()
    await collecting.end
    expect(await namesOf(backend)).toEqual([])
    expect(await namesOf(snapshotter)).toEqual([])
  }, answers)
}

describeWith({ root: true, linux: true }, 'is not answered before it is on disk:', () => {
  for (const [what, change] of Object.entries(changes)) test(what, () => waits(change, 'durable'))

  test('nothing goes from the snapshotter before that', () => keepsWhatIsNotOnDisk('durable'))
})

describeWith({ root: true, linux: true }, 'where whoever answers waits for the disk,', () => {
  for (const [what, change] of Object.entries(changes))
    test(`${what} does not wait for it too, and is on disk when all is`, () =>
      withSnapshots(async (subject) => {
        const { disk } = subject
        disk.hold()
        await change(subject)
        await endsWithTheDisk(disk, disk.metadata.durable())
      }, 'held'))

  test('nothing goes from the snapshotter before it is on disk', () => keepsWhatIsNotOnDisk('held'))
})

describeWith({ root: true, linux: true }, 'before somebody may write to a snapshot,', () => {
  for (const answers of ['durable', 'held'] as const)
    for (const [what, warn] of Object.entries(warnings)) {
      test(`${what} waits for the disk if a layer has been applied to it: ${answers}`, () =>
        waits((subject) => warn(subject, 'applied'), answers))

      test(`${what} need not if nothing has, since a later process takes nothing for untouched: ${answers}`, () =>
        withSnapshots(async (subject) => {
          subject.disk.hold()
          await warn(subject, 'fresh')
          expect(subject.disk.begun()).toBe(0)
          subject.disk.release()
        }, answers))
    }
})

describeWith(
  { root: true, linux: true },
  'D23 a layer that has been applied while somebody asked for the mounts',
  () => {
    test('proves nothing, however long the answer took', () =>
      withSnapshots(async ({ snapshotter, disk }) => {
        const { metadata } = disk
        let end = () => {}
        const ended = new Promise<void>((resolve) => {
          end = resolve
        })
        let began = false
        const slow = metadata.namespace('ns').applier({
          async apply() {
            began = true
            await ended
            return { diffId: layer.digest, size: 0, implied: [] }
          },
        })
        const applying = slow.apply(layer, await snapshotter.prepare('slow', undefined))
        await expect.poll(() => began).toBe(true)
        disk.hold()
        // The label is in the answers to reads from now on.
        const pending = snapshotter.update('base', { merge: { a: '1' } })
        await expect.poll(disk.begun).toBe(1)
        const asked = snapshotter.mounts('slow')
        end()
        await setTimeout(5)
        disk.release()
        await Promise.all([pending, asked, applying])
        await snapshotter.commit(layer.digest, 'slow')
        await metadata.namespace('other').leases.create({ id: 'lease' })
        const other = metadata.namespace('other', { lease: 'lease' }).snapshotter('overlayfs')
        await expect(other.stat(layer.digest)).rejects.toThrow(/does not exist/)
      }))
  },
)
