import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallOptions, Code, type ConnectError, createClient } from '@connectrpc/connect'
import {
  Kind,
  type ListSnapshotsResponse,
  Snapshots,
} from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { withTempMount } from '@nsbox/mount'
import { openOverlaySnapshotter } from '@nsbox/snapshots'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'
import { snapshotsRoutes } from './snapshots.ts'

describeWith({ root: true, linux: true }, 'Snapshots', () => {
  let resources: AsyncDisposableStack
  let snapshots: ReturnType<typeof createClient<typeof Snapshots>>
  /** The snapshotter names in calls. */
  let asked: string[]

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    asked = []
    const { path } = resources.use(await scratchMount())
    const root = join(path, 'snapshots')
    const snapshotter = resources.use(await openOverlaySnapshotter({ root, durability: 'relaxed' }))
    const served = resources.use(
      await serveRoutes((router) => {
        snapshotsRoutes(router, async (_, name) => {
          asked.push(name)
          return snapshotter
        })
      }),
    )
    const client = socketTransport(served.address)
    resources.defer(() => client[Symbol.dispose]())
    snapshots = createClient(Snapshots, client.transport)
  })
  afterEach(() => resources.disposeAsync())

  const failure = (promise: Promise<unknown>): Promise<ConnectError> =>
    promise.then(
      () => expect.fail('the call succeeded'),
      (error) => error,
    )
  const code = async (promise: Promise<unknown>) => Code[(await failure(promise)).code]

  async function list(filters: string[] = [], options: CallOptions = {}): Promise<ListSnapshotsResponse[]> {
    const messages: ListSnapshotsResponse[] = []
    for await (const message of snapshots.list({ filters }, options)) messages.push(message)
    return messages
  }

  test('are prepared, written to through their mounts, committed, viewed and removed', async () => {
    const { mounts } = await snapshots.prepare({ key: 'k', labels: { a: 'b' } })
    expect(mounts).toMatchObject([{ type: 'bind', target: '', options: ['rw', 'rbind'] }])
    await withTempMount(mounts, (path) => writeFile(join(path, 'file'), 'x'.repeat(5000)))
    await snapshots.commit({ key: 'k', name: 'n', labels: { c: 'd' } })
    const { info } = await snapshots.stat({ key: 'n' })
    expect(info).toMatchObject({ name: 'n', parent: '', kind: Kind.COMMITTED, labels: { c: 'd' } })
    expect(info?.createdAt?.seconds).toBeGreaterThan(1_700_000_000n)

    const prepared = await snapshots.prepare({ key: 'child', parent: 'n' })
    expect(prepared.mounts).toMatchObject([{ type: 'overlay' }])
    const viewed = await snapshots.view({ key: 'v', parent: 'n' })
    expect(viewed.mounts).toMatchObject([{ type: 'bind', options: ['ro', 'rbind'] }])
    expect((await snapshots.mounts({ key: 'v' })).mounts).toEqual(viewed.mounts)
    expect((await snapshots.stat({ key: 'child' })).info).toMatchObject({ parent: 'n', kind: Kind.ACTIVE })
    expect((await snapshots.stat({ key: 'v' })).info).toMatchObject({ parent: 'n', kind: Kind.VIEW })
    expect(await snapshots.usage({ key: 'n' })).toMatchObject({ size: expect.any(BigInt), inodes: 2n })

    expect((await failure(snapshots.remove({ key: 'n' }))).rawMessage).toMatch(
      /cannot remove snapshot with child: failed precondition$/,
    )
    for (const key of ['v', 'child', 'n']) await snapshots.remove({ key })
    expect(await list()).toEqual([])
  })

  test('learn of their parent at commit', async () => {
    await snapshots.prepare({ key: 'a' })
    await snapshots.prepare({ key: 'b' })
    await snapshots.commit({ key: 'a', name: 'A' })
    await snapshots.commit({ key: 'b', name: 'B', parent: 'A' })
    expect((await snapshots.stat({ key: 'B' })).info?.parent).toBe('A')
  })

  test('change their labels by a mask, and nothing else', async () => {
    await snapshots.prepare({ key: 'k', labels: { a: '1', b: '2' } })
    const update = async (labels: Record<string, string>, paths?: string[]) => {
      const request = { info: { name: 'k', labels, parent: 'p' }, ...(paths && { updateMask: { paths } }) }
      return (await snapshots.update(request)).info?.labels
    }
    expect(await update({ a: '9', c: '3' }, ['labels.a'])).toEqual({ a: '9', b: '2' })
    expect(await update({}, ['labels.b'])).toEqual({ a: '9' })
    expect(await update({ c: '3' }, ['labels'])).toEqual({ c: '3' })
    expect(await update({ d: '4' })).toEqual({ d: '4' })
    expect((await failure(update({}, ['parent']))).rawMessage).toBe(
      'cannot update "parent" field on snapshot "k": invalid argument',
    )
    expect(await code(snapshots.update({}))).toBe('InvalidArgument')
    expect((await snapshots.stat({ key: 'k' })).info).toMatchObject({ parent: '', labels: { d: '4' } })
  })

  test('are listed in messages of bounded length, filtered', async () => {
    for (let i = 0; i < 101; i++) await snapshots.view({ key: `v${i}` })
    await snapshots.prepare({ key: 'active' })
    const messages = await list()
    expect(messages.map(({ info }) => info.length)).toEqual([100, 2])
    expect((await list(['kind==active', 'name==v7'])).flatMap(({ info }) => info)).toMatchObject([
      { name: 'active' },
      { name: 'v7' },
    ])
    expect(await code(list(['kind==']))).toBe('InvalidArgument')
  })

  test('fail with the codes and texts that clients know', async () => {
    await snapshots.prepare({ key: 'k' })
    await snapshots.view({ key: 'v' })
    expect(await code(snapshots.prepare({ key: 'k' }))).toBe('AlreadyExists')
    expect(await code(snapshots.prepare({ key: '' }))).toBe('InvalidArgument')
    expect(await code(snapshots.prepare({ key: 'x', parent: 'k' }))).toBe('InvalidArgument')
    expect(await code(snapshots.commit({ key: 'v', name: 'n' }))).toBe('FailedPrecondition')
    await snapshots.commit({ key: 'k', name: 'n' })
    expect(await code(snapshots.mounts({ key: 'n' }))).toBe('FailedPrecondition')
    for (const [call, text] of [
      [snapshots.stat({ key: 'x' }), 'snapshot x does not exist: not found'],
      [snapshots.remove({ key: 'x' }), 'snapshot x does not exist: not found'],
      [snapshots.view({ key: 'w', parent: 'x' }), 'parent snapshot x does not exist: not found'],
    ] as const) {
      expect((await failure(call)).rawMessage).toBe(text)
    }
  })

  test('are cleaned up, and are those of the snapshotter that the call names', async () => {
    await snapshots.cleanup({ snapshotter: 'one' })
    await code(snapshots.stat({ snapshotter: 'two', key: 'x' }))
    await snapshots.prepare({ key: 'x' })
    expect(asked).toEqual(['one', 'two', ''])
  })
})

test.each(['prepare', 'view', 'mounts', 'commit', 'remove', 'stat', 'usage', 'cleanup'] as const)(
  'a client that gives up aborts what Snapshots.%s does',
  async (method) => {
    await using resources = new AsyncDisposableStack()
    const giveUp = new AbortController()
    let aborted = false
    const waits = async (...args: unknown[]) => {
      const { signal } = args.at(-1) as { signal: AbortSignal }
      giveUp.abort()
      if (!signal.aborted) await once(signal, 'abort')
      aborted = true
      throw signal.reason
    }
    const waiting = { [method]: waits } as unknown as Snapshotter
    const served = resources.use(await serveRoutes((router) => snapshotsRoutes(router, async () => waiting)))
    const client = socketTransport(served.address)
    resources.defer(() => client[Symbol.dispose]())
    const call = createClient(Snapshots, client.transport)[method]({ key: 'k' }, { signal: giveUp.signal })
    await expect(call).rejects.toMatchObject({ code: Code.Canceled })
    await expect.poll(() => aborted).toBe(true)
  },
)
