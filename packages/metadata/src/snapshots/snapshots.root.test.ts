import { errorCode } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { overlays } from '../testing/overlays.ts'
import { namesOf, SnapshotSandbox, snapshotEvents } from '../testing/snapshot-sandbox.ts'

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
    expect(snapshotEvents(sandbox)).toEqual([
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
