import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { digestOf } from '@nsbox/oci'
import { openOverlaySnapshotter } from '@nsbox/snapshots'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import type { Answers } from '../ledger.ts'
import { type SlowDisk, watch, withSlowDisk } from '../testing/slow-disk.ts'
import { namesOf } from '../testing/snapshot-sandbox.ts'

/** Calls with a snapshotter view, the metadata's slow disk, and the snapshotter below, which is on a quick one. */
async function withSnapshots(
  body: (snapshotter: Snapshotter, disk: SlowDisk, backend: Snapshotter) => Promise<void>,
  answers: Answers = 'durable',
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await scratchMount())
  const backend = stack.use(await openOverlaySnapshotter({ root: join(path, 'overlayfs') }))
  await withSlowDisk(
    async (disk) => {
      const snapshotter = disk.metadata.namespace('ns').snapshotter('overlayfs')
      await snapshotter.prepare('key', undefined)
      await snapshotter.commit('base', 'key')
      await snapshotter.prepare('work', 'base')
      // On nothing, so that it is not yet known to be a client's own.
      await snapshotter.prepare('fresh', undefined)
      await body(snapshotter, disk, backend)
    },
    { snapshotters: new Map([['overlayfs', backend]]), answers },
  )
}

type Change = (snapshotter: Snapshotter, disk: SlowDisk) => Promise<unknown>

const changes: Readonly<Record<string, Change>> = {
  'preparing a snapshot': (snapshotter) => snapshotter.prepare('more', 'base'),
  'viewing a snapshot': (snapshotter) => snapshotter.view('more', 'base'),
  'committing a snapshot': (snapshotter) => snapshotter.commit('top', 'work'),
  'removing a snapshot': (snapshotter) => snapshotter.remove('work'),
  'labelling a snapshot': (snapshotter) => snapshotter.update('base', { merge: { a: '1' } }),
  'storing a blob': async (_snapshotter, { metadata }) => {
    await using writer = await metadata.namespace('ns').content.writer({ ref: 'blob' })
    await writer.write(Buffer.from('bytes'))
    await writer.commit({ expected: digestOf('bytes') })
  },
}

/** After these somebody may write to what the server has made. */
const warnings: Readonly<Record<string, Change>> = {
  'a snapshot that may be written to': (snapshotter) => snapshotter.mounts('fresh'),
  'the notice that a task writes': async (_snapshotter, { metadata }) =>
    metadata.writes([{ type: 'bind', source: '/', options: [] }]),
}

/** Expects that something waits for a disk that is held, and ends well once it is not. */
async function endsWithTheDisk(disk: SlowDisk, started: Promise<unknown>): Promise<void> {
  const operation = watch(started)
  await expect.poll(disk.begun).toBeGreaterThan(0)
  await setTimeout(5)
  expect(operation.settled).toBe(false)
  disk.release()
  expect(await operation.end).not.toBeInstanceOf(Error)
}

function waits(change: Change, answers: Answers): Promise<void> {
  return withSnapshots(async (snapshotter, disk) => {
    disk.hold()
    await endsWithTheDisk(disk, change(snapshotter, disk))
  }, answers)
}

function keepsWhatIsNotOnDisk(answers: Answers): Promise<void> {
  return withSnapshots(async (snapshotter, disk, backend) => {
    disk.hold()
    const collecting = watch(disk.metadata.collect())
    await expect.poll(disk.begun).toBeGreaterThan(0)
    await setTimeout(5)
    expect(await namesOf(backend)).toHaveLength(3)
    disk.release()
    await collecting.end
    expect(await namesOf(backend)).toEqual([])
    expect(await namesOf(snapshotter)).toEqual([])
  }, answers)
}

describeWith({ root: true, linux: true }, 'is not answered before it is on disk:', () => {
  for (const [what, change] of Object.entries({ ...changes, ...warnings }))
    test(what, () => waits(change, 'durable'))

  test('nothing goes from the snapshotter before that', () => keepsWhatIsNotOnDisk('durable'))
})

describeWith({ root: true, linux: true }, 'where whoever answers waits for the disk,', () => {
  for (const [what, change] of Object.entries(changes))
    test(`${what} does not wait for it too, and is on disk when all is`, () =>
      withSnapshots(async (snapshotter, disk) => {
        disk.hold()
        await change(snapshotter, disk)
        await endsWithTheDisk(disk, disk.metadata.durable())
      }, 'held'))

  for (const [what, change] of Object.entries(warnings))
    test(`${what} waits for it nevertheless`, () => waits(change, 'held'))

  test('nothing goes from the snapshotter before it is on disk', () => keepsWhatIsNotOnDisk('held'))
})
