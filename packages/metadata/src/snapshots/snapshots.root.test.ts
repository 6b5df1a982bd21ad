import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { errorCode, NsboxError } from '@nsbox/errors'
import { mount, unmount } from '@nsbox/mount'
import { labelKeys } from '@nsbox/oci'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { namesOf, SnapshotSandbox } from '../testing/snapshot-sandbox.ts'

const topics = ({ events }: SnapshotSandbox) =>
  events.filter(([, { topic }]) => topic.startsWith('/snapshot/'))

/** Blocks callers while it is closed. */
class Gate {
  #closed: Promise<void> = Promise.resolve()
  #open = () => {}

  close(): void {
    this.#closed = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }

  passed(): Promise<void> {
    return this.#closed
  }
}

/** The sandbox's overlay snapshotter, with some of its calls replaced. */
function overlays({ overlayfs }: SnapshotSandbox, calls: Partial<Snapshotter>): Map<string, Snapshotter> {
  const proxy = new Proxy<Snapshotter>(overlayfs, {
    get(target, name) {
      if (name in calls) return calls[name as keyof Snapshotter]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return new Map([['overlayfs', proxy]])
}

describeWith({ root: true, linux: true }, 'snapshots of namespaces', () => {
  test('do not see each other, and have keys in the snapshotter that tell them apart', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const [a, b] = [await sandbox.tenant('a'), await sandbox.tenant('b')]
    for (const { snapshotter } of [a, b]) {
      await snapshotter.prepare('key', undefined)
      expect(await snapshotter.commit('base', 'key')).toMatchObject({ name: 'base', parent: undefined })
      await snapshotter.prepare('key', 'base')
      expect(await snapshotter.stat('key')).toMatchObject({ name: 'key', parent: 'base' })
    }
    const backings = await sandbox.backings()
    for (const pattern of [/^a\/\d+\/base$/, /^a\/\d+\/key$/, /^b\/\d+\/base$/, /^b\/\d+\/key$/])
      expect(backings.filter((key) => pattern.test(key))).toHaveLength(1)
    await a.snapshotter.remove('key')
    expect(await namesOf(b.snapshotter)).toEqual(['base', 'key'])
    expect(await b.snapshotter.stat('none').catch(errorCode)).toBe('not_found')
    for (const text of ['usage', 'mounts', 'remove'] as const)
      await expect(a.snapshotter[text]('key')).rejects.toThrow('snapshot key does not exist: not found')
  })

  test('are announced, views excepted', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    await snapshotter.commit('base', 'key')
    await snapshotter.view('look', 'base')
    await snapshotter.remove('look')
    await snapshotter.prepare('child', 'base')
    const named = { snapshotter: 'overlayfs' }
    expect(topics(sandbox)).toEqual([
      ['a', { topic: '/snapshot/prepare', payload: { key: 'key', parent: '', ...named } }],
      ['a', { topic: '/snapshot/commit', payload: { key: 'key', name: 'base', ...named } }],
      ['a', { topic: '/snapshot/remove', payload: { key: 'look', ...named } }],
      ['a', { topic: '/snapshot/prepare', payload: { key: 'child', parent: 'base', ...named } }],
    ])
  })

  test('hand labels on to the snapshotter if these are for it', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter } = await sandbox.tenant('a')
    const inherited = { 'containerd.io/snapshot/one': '1', [labelKeys.snapshotRef]: 'target' }
    const own = { own: '1', 'containerd.io/snapshotx': '1', 'containerd.io/gc.root': 'x' }
    const there = async () => {
      const [key] = await sandbox.backings()
      return { ...(await sandbox.overlayfs.stat(key!)).labels }
    }
    await snapshotter.prepare('key', undefined, { labels: { ...inherited, ...own } })
    expect({ ...(await snapshotter.stat('key')).labels }).toEqual({ ...inherited, ...own })
    expect(await there()).toEqual(inherited)
    await snapshotter.update('key', { merge: { 'containerd.io/snapshot/two': '2', own: '' } })
    expect(await there()).toEqual({ ...inherited, 'containerd.io/snapshot/two': '2' })
    await snapshotter.update('key', { replace: { ...own, 'containerd.io/snapshot/one': '3' } })
    expect(await there()).toEqual({ 'containerd.io/snapshot/one': '3' })
    await snapshotter.commit('base', 'key', { labels: { ...own, 'containerd.io/snapshot/four': '4' } })
    expect(await there()).toEqual({ 'containerd.io/snapshot/four': '4' })
  })

  test('that exist are refused by name, and held by the lease of who was refused', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter } = await sandbox.tenant('a', 'first')
    await snapshotter.prepare('key', undefined)
    await snapshotter.commit('target', 'key')
    await snapshotter.prepare('work', undefined)
    const second = await sandbox.tenant('a', 'second')
    const labels = { [labelKeys.snapshotRef]: 'target' }
    await expect(second.snapshotter.prepare('other', undefined, { labels })).rejects.toThrow(
      'target snapshot "target": already exists',
    )
    await expect(second.snapshotter.prepare('work', undefined)).rejects.toThrow(
      'snapshot "work": already exists',
    )
    await second.snapshotter.prepare('more', undefined)
    await expect(second.snapshotter.commit('target', 'more')).rejects.toThrow(
      'snapshot "target": already exists',
    )
    await second.view.leases.delete('first', { sync: true })
    expect(await namesOf(snapshotter)).toEqual(['more', 'target', 'work'])
  })

  test('are not made under a lease that does not exist', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter, view } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    await view.leases.delete('lease')
    expect(await snapshotter.prepare('other', undefined).catch(errorCode)).toBe('not_found')
    expect(await snapshotter.commit('name', 'key').catch(errorCode)).toBe('not_found')
    expect(await namesOf(snapshotter)).toEqual(['key'])
  })

  test('are only there for snapshotters that are', async () => {
    await using sandbox = await SnapshotSandbox.open()
    expect(() => sandbox.metadata.namespace('a').snapshotter('none')).toThrow(
      'snapshotter not loaded: none: invalid argument',
    )
  })

  test('have layer directories only if the snapshotter has them', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    const { path } = await snapshotter.layerDirectory('key')
    expect(path.startsWith(sandbox.path)).toBe(true)
    await snapshotter.commit('base', 'key')
    expect(await snapshotter.layerDirectory('base').catch(errorCode)).toBe('failed_precondition')
    expect(await snapshotter.layerDirectory('none').catch(errorCode)).toBe('not_found')
    const nowhere: object = { layerDirectory: undefined }
    await sandbox.reopen({ snapshotters: overlays(sandbox, nowhere) })
    expect(sandbox.metadata.namespace('a').snapshotter('overlayfs')).not.toHaveProperty('layerDirectory')
  })

  test('keep a namespace from being deleted', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    await expect(sandbox.metadata.namespaces.delete('a')).rejects.toThrow(
      'namespace "a" must be empty, but it still has snapshots on "overlayfs" snapshotter: failed precondition',
    )
    await snapshotter.remove('key')
    await sandbox.metadata.namespaces.delete('a')
  })

  test('are told of in the namespace’s own words when the snapshotter fails', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    for (const key of await sandbox.backings()) await sandbox.overlayfs.remove(key)
    await expect(snapshotter.mounts('key')).rejects.toThrow(/^snapshot key does not exist: not found$/)
    await expect(snapshotter.commit('name', 'key')).rejects.toThrow(
      /^snapshot key does not exist: not found$/,
    )
    await snapshotter.remove('key')
    await sandbox.metadata.collect()
  })
})

describeWith({ root: true, linux: true }, 'a snapshot that is being committed', () => {
  test('can be neither removed nor committed again, and what it needs stays', async () => {
    const gate = new Gate()
    await using sandbox = await SnapshotSandbox.open({
      overlay: { durability: 'full', sync: () => gate.passed() },
    })
    // Nothing holds any of this.
    const { snapshotter } = await sandbox.tenant('a', null)
    await snapshotter.prepare('key', undefined)
    await snapshotter.commit('base', 'key')
    await snapshotter.prepare('late', undefined)
    await snapshotter.prepare('rival', undefined)
    gate.close()
    const committing = snapshotter.commit('top', 'late', { parent: 'base' })
    expect(await snapshotter.remove('late').catch(errorCode)).toBe('unavailable')
    expect(await snapshotter.commit('other', 'late').catch(errorCode)).toBe('unavailable')
    await expect(snapshotter.remove('base')).rejects.toThrow('cannot remove snapshot with child')
    await sandbox.metadata.collect()
    expect(await namesOf(snapshotter)).toEqual(['base', 'late'])
    expect(await sandbox.backings()).toHaveLength(2)
    gate.open()
    expect(await committing).toMatchObject({ name: 'top', parent: 'base' })
  })

  test('can be what others are based on that are committed along with it', async () => {
    const gate = new Gate()
    await using sandbox = await SnapshotSandbox.open({
      overlay: { durability: 'full', sync: () => gate.passed() },
    })
    const { snapshotter } = await sandbox.tenant('a', null)
    for (const key of ['one', 'two', 'three']) await snapshotter.prepare(key, undefined)
    gate.close()
    const committing = [
      snapshotter.commit('base', 'one'),
      snapshotter.commit('middle', 'two', { parent: 'base' }),
      snapshotter.commit('top', 'three', { parent: 'middle' }),
    ]
    await sandbox.metadata.collect()
    expect(await namesOf(snapshotter)).toEqual(['one', 'three', 'two'])
    gate.open()
    expect(await Promise.all(committing)).toMatchObject([
      { name: 'base' },
      { name: 'middle', parent: 'base' },
      { name: 'top', parent: 'middle' },
    ])
    expect(topics(sandbox).flatMap(([, { payload }]) => ('name' in payload ? [payload.name] : []))).toEqual([
      'base',
      'middle',
      'top',
    ])
  })

  test('takes those along that are based on it if it fails, which can be tried again', async () => {
    let fails = true
    await using sandbox = await SnapshotSandbox.open()
    const failing: Partial<Snapshotter> = {
      async commit(name, key, options) {
        if (!fails || !name.endsWith('/base')) return await sandbox.overlayfs.commit(name, key, options)
        throw new NsboxError('data_loss', 'the disk')
      },
    }
    await sandbox.reopen({ snapshotters: overlays(sandbox, failing) })
    const { snapshotter } = await sandbox.tenant('a')
    for (const key of ['one', 'two']) await snapshotter.prepare(key, undefined)
    const commit = () =>
      Promise.all([
        snapshotter.commit('base', 'one').catch(errorCode),
        snapshotter.commit('top', 'two', { parent: 'base' }).catch(errorCode),
      ])
    expect(await commit()).toEqual(['data_loss', 'not_found'])
    expect(await namesOf(snapshotter)).toEqual(['one', 'two'])
    fails = false
    expect(await commit()).toMatchObject([{ name: 'base' }, { name: 'top', parent: 'base' }])
  })

  test('has its name to itself, unless it fails', async () => {
    const gate = new Gate()
    let fails = false
    const sync = async () => {
      await gate.passed()
      if (fails) throw new Error('the disk')
    }
    await using sandbox = await SnapshotSandbox.open({ overlay: { durability: 'full', sync } })
    const { snapshotter } = await sandbox.tenant('a')
    for (const key of ['one', 'two', 'three']) await snapshotter.prepare(key, undefined)
    gate.close()
    const first = snapshotter.commit('name', 'one')
    const second = snapshotter.commit('name', 'two')
    const third = snapshotter.prepare('name', undefined)
    gate.open()
    await first
    expect(await second.catch(errorCode)).toBe('already_exists')
    expect(await third.catch(errorCode)).toBe('already_exists')
    gate.close()
    const failing = snapshotter.commit('other', 'two')
    const waiting = snapshotter.prepare('other', undefined)
    fails = true
    gate.open()
    expect(await failing.catch(errorCode)).toBe('data_loss')
    await waiting
    expect(await namesOf(snapshotter)).toEqual(['name', 'other', 'three', 'two'])
  })

  test('is nobody’s orphan, and is there although its lease ends', async () => {
    const gate = new Gate()
    await using sandbox = await SnapshotSandbox.open()
    const committed = new Gate()
    committed.close()
    await sandbox.reopen({
      snapshotters: overlays(sandbox, {
        async commit(...args) {
          const info = await sandbox.overlayfs.commit(...args)
          committed.open()
          await gate.passed()
          return info
        },
      }),
    })
    const { snapshotter, view } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    gate.close()
    const committing = snapshotter.commit('name', 'key')
    await committed.passed()
    // The snapshotter has it, but not yet the database.
    await snapshotter.cleanup()
    await view.leases.delete('lease', { sync: true })
    expect(await sandbox.backings()).toEqual([expect.stringMatching(/^a\/\d+\/name$/)])
    gate.open()
    await committing
    expect(await namesOf(snapshotter)).toEqual(['name'])
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toEqual([])
  })
})

describeWith({ root: true, linux: true }, 'what is left half done', () => {
  test('in the snapshotter is removed after the next start, children first, and by cleaning up', async () => {
    await using sandbox = await SnapshotSandbox.open()
    await (await sandbox.tenant('a')).snapshotter.prepare('kept', undefined)
    const litter = async () => {
      for (const [name, parent] of [
        ['a/71/a', undefined],
        ['a/72/b', 'a/71/a'],
        ['a/70/c', 'a/72/b'],
      ] as const) {
        await sandbox.overlayfs.prepare('key', parent)
        await sandbox.overlayfs.commit(name, 'key')
      }
      await sandbox.overlayfs.prepare('not ours', 'a/72/b')
    }
    await litter()
    await sandbox.reopen()
    expect(await sandbox.metadata.collect()).toMatchObject({ snapshots: 0, trees: 4 })
    expect(await sandbox.backings()).toHaveLength(1)
    await litter()
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.cleanup()
    expect(await sandbox.backings()).toHaveLength(1)
    expect(await namesOf(snapshotter)).toEqual(['kept'])
  })

  test('by a process that died while it made a snapshot is in nobody’s way', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const made = new Gate()
    made.close()
    const never = new Gate()
    never.close()
    await sandbox.reopen({
      snapshotters: overlays(sandbox, {
        async prepare(...args) {
          const mounts = await sandbox.overlayfs.prepare(...args)
          made.open()
          await never.passed()
          return mounts
        },
      }),
    })
    void (await sandbox.tenant('a')).snapshotter.prepare('key', undefined)
    await made.passed()
    await sandbox.reopen()
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    await sandbox.metadata.collect()
    expect(await namesOf(snapshotter)).toEqual(['key'])
    expect(await sandbox.backings()).toHaveLength(1)
  })

  test('because the lease or the parent went meanwhile is undone', async () => {
    await using sandbox = await SnapshotSandbox.open()
    let meanwhile = async () => {}
    await sandbox.reopen({
      snapshotters: overlays(sandbox, {
        async prepare(...args) {
          const mounts = await sandbox.overlayfs.prepare(...args)
          await meanwhile()
          return mounts
        },
      }),
    })
    const { snapshotter, view } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined)
    await snapshotter.commit('base', 'key')
    meanwhile = () => snapshotter.remove('base')
    await expect(snapshotter.prepare('key', 'base')).rejects.toThrow('parent snapshot base does not exist')
    meanwhile = () => view.leases.delete('lease')
    expect(await snapshotter.prepare('key', undefined).catch(errorCode)).toBe('not_found')
    await sandbox.metadata.collect()
    expect(await namesOf(snapshotter)).toEqual([])
    expect(await sandbox.backings()).toEqual([])
  })

  test('because something is mounted there is removed another time', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const { snapshotter } = await sandbox.tenant('a')
    const mounts = await snapshotter.prepare('key', undefined)
    const { path } = await snapshotter.layerDirectory('key')
    await mkdir(join(path, 'mounted'))
    await mount({ type: 'bind', source: path, options: ['rbind'] }, join(path, 'mounted'))
    expect(mounts).toHaveLength(1)
    await snapshotter.remove('key')
    expect(await sandbox.metadata.collect()).toMatchObject({ trees: 0 })
    expect(await sandbox.backings()).toHaveLength(1)
    await unmount(join(path, 'mounted'))
    expect(await sandbox.metadata.collect()).toMatchObject({ trees: 1 })
    expect(await sandbox.backings()).toEqual([])
  })
})
