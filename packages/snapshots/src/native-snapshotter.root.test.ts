import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { snapshotterSuite } from '@nsbox/compliance/snapshots'
import { hasLayerDirectories } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import { withTempMount } from '@nsbox/mount'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test, vi } from 'vitest'
import type { OpenSnapshotterOptions } from './open-local-snapshotter.ts'
import { openNativeSnapshotter } from './open-native-snapshotter.ts'

async function create() {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await scratchMount())
  const snapshotter = stack.use(await openNativeSnapshotter({ root: join(path, 'snapshots') }))
  const owned = stack.move()
  return { snapshotter, withMounts: withTempMount, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

describeWith({ root: true, linux: true }, 'native', () => {
  snapshotterSuite('native', create, { parentAtCommit: false, usageAlone: false })

  test('has no layers to be written by themselves, and takes no parent at commit', async () => {
    await using subject = await create()
    const { snapshotter } = subject
    expect(hasLayerDirectories(snapshotter)).toBe(false)
    for (const key of ['base', 'top']) await snapshotter.prepare(key, undefined)
    await snapshotter.commit('committed', 'base')
    await expect(snapshotter.commit('name', 'top', { parent: 'committed' })).rejects.toMatchObject({
      code: 'unimplemented',
    })
    expect(await snapshotter.stat('top')).toMatchObject({ kind: 'active' })
    await snapshotter.prepare('child', 'committed')
    expect(await snapshotter.commit('name', 'child', { parent: 'committed' })).toMatchObject({
      parent: 'committed',
    })
  })

  /** A snapshotter with a base whose copying takes a while. */
  async function withLargeBase(options: Partial<OpenSnapshotterOptions> = {}) {
    await using stack = new AsyncDisposableStack()
    const { path } = stack.use(await scratchMount())
    const root = join(path, 'snapshots')
    const snapshotter = stack.use(await openNativeSnapshotter({ root, ...options }))
    const [base] = await snapshotter.prepare('key', undefined)
    for (let index = 0; index < 2000; index++) await writeFile(join(base!.source, `${index}`), `${index}`)
    await snapshotter.commit('base', 'key')
    const owned = stack.move()
    const directories = async () => [
      ...(await readdir(join(root, 'snapshots'))),
      ...(await readdir(join(root, 'trash'))),
    ]
    return { snapshotter, directories, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }

  test('leaves nothing of a copy that was given up', async () => {
    await using subject = await withLargeBase()
    const { snapshotter, directories } = subject
    const reason = new Error('enough')
    const controller = new AbortController()
    const prepared = snapshotter.prepare('child', 'base', controller)
    await vi.waitFor(async () => expect(await directories()).toHaveLength(2))
    controller.abort(reason)
    await expect(prepared).rejects.toBe(reason)
    expect(await directories()).toEqual(['1'])
    await expect(snapshotter.stat('child')).rejects.toMatchObject({ code: 'not_found' })
    await snapshotter.prepare('child', 'base')
  })

  test('is closed only when a copy under way has ended and left nothing', async () => {
    await using subject = await withLargeBase()
    const { snapshotter, directories } = subject
    const refused = expect(snapshotter.prepare('child', 'base')).rejects.toMatchObject({
      code: 'unavailable',
    })
    await vi.waitFor(async () => expect(await directories()).toHaveLength(2))
    await snapshotter[Symbol.asyncDispose]()
    expect(await directories()).toEqual(['1'])
    await refused
  })

  test('D21 records no copy that the disk may have lost', async () => {
    let failing = false
    const sync = async () => {
      if (failing) throw new NsboxError('data_loss', 'syncfs')
    }
    await using subject = await withLargeBase({ sync })
    const { snapshotter, directories } = subject
    failing = true
    await expect(snapshotter.prepare('child', 'base')).rejects.toMatchObject({ code: 'data_loss' })
    await snapshotter.view('view', 'base')
    await expect(snapshotter.stat('child')).rejects.toMatchObject({ code: 'not_found' })
    expect((await directories()).sort()).toEqual(['1', '3'])
  })

  test('hands out plain bind mounts, of a parent itself for a view of it', async () => {
    await using subject = await withLargeBase()
    const { snapshotter } = subject
    const [active] = await snapshotter.prepare('child', 'base')
    expect(active).toMatchObject({ type: 'bind', options: ['rw', 'rbind'] })
    const [view] = await snapshotter.view('view', 'base')
    expect(await snapshotter.usage('child')).toEqual(await snapshotter.usage('base'))
    expect(view).toMatchObject({ type: 'bind', options: ['ro', 'rbind'] })
    expect(await readdir(active!.source)).toEqual(await readdir(view!.source))
    await writeFile(join(active!.source, '0'), 'changed')
    expect(await readFile(join(view!.source, '0'), 'utf8')).toBe('0')
  })
})
