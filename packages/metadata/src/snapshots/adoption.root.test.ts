import { errorCode } from '@nsbox/errors'
import { labelKeys, nextChainId } from '@nsbox/oci'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { exists, namesOf, SnapshotSandbox, type Tenant, testLayer } from '../testing/snapshot-sandbox.ts'

const layers = ['one', 'two', 'three'].map((name) => testLayer({ name, content: name }))
const [one, two, three] = layers as [ReturnType<typeof testLayer>, ...ReturnType<typeof testLayer>[]]
const first = one.diffId
const second = nextChainId(first, two!.diffId)
const third = nextChainId(second, three!.diffId)

/** A sandbox in whose namespace `a` the layers are unpacked. */
async function unpacked(policy: 'shared' | 'isolated' = 'shared'): Promise<[SnapshotSandbox, Tenant]> {
  const sandbox = await SnapshotSandbox.open({ policy })
  const tenant = await sandbox.tenant('a')
  expect(await sandbox.unpack(tenant, ...layers)).toEqual([first, second, third])
  return [sandbox, tenant]
}

const names = async (sandbox: SnapshotSandbox, tenant: Tenant) =>
  [...(await sandbox.tree(tenant, third)).keys()].sort()
const all = ['.', 'one', 'three', 'two']

describeWith({ root: true, linux: true }, 'a snapshot that another namespace has unpacked', () => {
  test('is there for a namespace that asks for it under a lease, parents included', async () => {
    const [opened, a] = await unpacked()
    await using sandbox = opened
    await a.snapshotter.update(second, { merge: { of: 'a' } })
    const before = await sandbox.backings()
    expect(before).toHaveLength(3)
    const b = await sandbox.tenant('b')
    const info = await b.snapshotter.stat(third)
    expect(info).toMatchObject({ name: third, kind: 'committed', parent: second })
    expect((await namesOf(b.snapshotter)).sort()).toEqual([first, second, third].sort())
    expect({ ...(await b.snapshotter.stat(second)).labels }).toEqual({})
    expect(await b.snapshotter.usage(third)).toEqual(await a.snapshotter.usage(third))
    expect(await names(sandbox, b)).toEqual(all)
    expect(await sandbox.backings()).toEqual(before)
    // Labels of one namespace are not visible in the other.
    await b.snapshotter.update(second, { merge: { 'containerd.io/snapshot/x': 'b' } })
    expect({ ...(await a.snapshotter.stat(second)).labels }).toEqual({ of: 'a' })
    expect({ ...(await sandbox.overlayfs.stat(before[1]!)).labels }).toEqual({})
  })

  test('is unpacked again by nobody', async () => {
    const [opened] = await unpacked()
    await using sandbox = opened
    const b = await sandbox.tenant('b')
    const refuses = { apply: () => expect.fail('applied') }
    await sandbox.unpack({ ...b, applier: b.view.applier(refuses) }, ...layers)
    expect(await names(sandbox, b)).toEqual(all)
  })

  test('is not there without a lease, or with one that has ended', async () => {
    const [opened] = await unpacked()
    await using sandbox = opened
    const without = await sandbox.tenant('b', null)
    await expect(without.snapshotter.stat(third)).rejects.toThrow(
      `snapshot ${third} does not exist: not found`,
    )
    const ended = await sandbox.tenant('b')
    await ended.view.leases.delete('lease')
    expect(await ended.snapshotter.stat(third).catch(errorCode)).toBe('not_found')
    expect(await namesOf(ended.snapshotter)).toEqual([])
  })

  test('answers a preparation for it, and only one that says so', async () => {
    const [opened] = await unpacked()
    await using sandbox = opened
    const { snapshotter } = await sandbox.tenant('b', null)
    // Without a target, no snapshot is adopted, and the client gets its own.
    await snapshotter.prepare('without', undefined)
    await snapshotter.remove('without')
    const labels = { [labelKeys.snapshotRef]: second }
    // Its parent would be another one.
    expect(await snapshotter.prepare('key', third, { labels }).catch(errorCode)).toBe('not_found')
    await snapshotter.prepare('from nothing', undefined, { labels })
    expect(await namesOf(snapshotter)).toEqual(['from nothing'])
    await expect(snapshotter.prepare('key', first, { labels })).rejects.toThrow(
      `target snapshot "${second}": already exists`,
    )
    expect((await namesOf(snapshotter)).sort()).toEqual(['from nothing', first, second].sort())
    await expect(snapshotter.view('key', first, { labels })).rejects.toThrow('already exists')
  })

  test('stays whole in either namespace when the other removes it, and goes with the last', async () => {
    const [opened, a] = await unpacked()
    await using sandbox = opened
    const b = await sandbox.tenant('b')
    const c = await sandbox.tenant('c')
    const tenants = [a, b, c]
    for (const { snapshotter } of tenants) await snapshotter.stat(third)
    for (const tenant of tenants) {
      for (const name of [third, second, first]) await tenant.snapshotter.remove(name)
      await sandbox.metadata.collect()
      expect(await namesOf(tenant.snapshotter)).toEqual([])
      const left = tenants.slice(tenants.indexOf(tenant) + 1)
      for (const other of left) expect(await names(sandbox, other)).toEqual(all)
      expect(await sandbox.backings()).toHaveLength(left.length === 0 ? 0 : 3)
    }
  })

  test('is held by the lease and collected after it, each in its own namespace', async () => {
    const [opened, a] = await unpacked()
    await using sandbox = opened
    const b = await sandbox.tenant('b')
    await b.snapshotter.stat(third)
    await a.view.leases.delete('lease', { sync: true })
    expect(await namesOf(a.snapshotter)).toEqual([])
    expect(await names(sandbox, b)).toEqual(all)
    await b.view.leases.delete('lease', { sync: true })
    expect(await sandbox.backings()).toEqual([])
  })

  test('can be built upon like the namespace’s own, which is shared in turn', async () => {
    const [opened] = await unpacked()
    await using sandbox = opened
    const b = await sandbox.tenant('b')
    const fourth = testLayer({ name: 'four', content: 'four' })
    const chain = await sandbox.unpack(b, ...layers, fourth)
    expect(await sandbox.backings()).toHaveLength(4)
    const c = await sandbox.tenant('c')
    expect(await exists(c.snapshotter, chain[3]!)).toBe(true)
    expect((await namesOf(c.snapshotter)).length).toBe(4)
  })

  test('is not there for a namespace that has something else under the name of a parent', async () => {
    const [opened] = await unpacked()
    await using sandbox = opened
    const b = await sandbox.tenant('b')
    await b.snapshotter.prepare('mine', undefined)
    await b.snapshotter.commit(first, 'mine')
    expect(await exists(b.snapshotter, third)).toBe(false)
    expect(await namesOf(b.snapshotter)).toEqual([first])
    // Once that is removed it is adopted.
    await b.snapshotter.remove(first)
    expect(await exists(b.snapshotter, third)).toBe(true)
  })

  test('is looked for among all that have been unpacked', async () => {
    const [opened, a] = await unpacked()
    await using sandbox = opened
    // Without a lease the namespace unpacks the lowest layer itself.
    const alone = await sandbox.tenant('b', null)
    await sandbox.unpack(alone, one)
    const b = await sandbox.tenant('b')
    expect(await exists(b.snapshotter, third)).toBe(false)
    await sandbox.unpack(b, ...layers)
    for (const name of [third, second, first]) await a.snapshotter.remove(name)
    const c = await sandbox.tenant('c')
    expect(await exists(c.snapshotter, third)).toBe(true)
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toHaveLength(3)
    expect(await names(sandbox, c)).toEqual(all)
  })

  test('is never half there when it is removed at that moment', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const outcomes = new Set<boolean>()
    for (let round = 0; round < 12; round++) {
      const a = await sandbox.tenant('a')
      await sandbox.unpack(a, ...layers)
      const b = await sandbox.tenant('b')
      const removal = a.view.leases.delete('lease', { sync: true })
      // At each step of the removal.
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve))
      const adopted = await exists(b.snapshotter, third)
      outcomes.add(adopted)
      await removal
      await sandbox.metadata.collect()
      expect(await namesOf(a.snapshotter)).toEqual([])
      expect(await namesOf(b.snapshotter)).toHaveLength(adopted ? 3 : 0)
      expect(await sandbox.backings()).toHaveLength(adopted ? 3 : 0)
      if (adopted) expect(await names(sandbox, b)).toEqual(all)
      await b.view.leases.delete('lease', { sync: true })
    }
    expect(outcomes.size).toBe(2)
  })
})

describeWith({ root: true, linux: true }, 'under the isolated policy', () => {
  test('D23 nothing is adopted, also not what was unpacked while sharing was allowed', async () => {
    const [opened] = await unpacked('isolated')
    await using sandbox = opened
    await sandbox.metadata.namespaces.update('a', { merge: { [labelKeys.namespaceShareable]: 'true' } })
    const isAdopted = async () => exists((await sandbox.tenant('b')).snapshotter, third)
    expect(await isAdopted()).toBe(false)
    await sandbox.reopen({ policy: 'shared' })
    expect(await isAdopted()).toBe(false)
    const labels = { [labelKeys.snapshotRef]: first }
    const c = await sandbox.tenant('c')
    await sandbox.unpack(c, one)
    await sandbox.reopen({ policy: 'isolated' })
    const { snapshotter } = await sandbox.tenant('d')
    expect(await exists(snapshotter, first)).toBe(false)
    await snapshotter.prepare('key', undefined, { labels })
    expect(await namesOf(snapshotter)).toEqual(['key'])
  })
})

describeWith({ root: true, linux: true }, 'of namespaces of which some are sealed', () => {
  const sealed = (namespace: string) => (namespace.startsWith('tenant') ? 'sealed' : 'shared')

  test('F02 a sealed one adopts nothing, and nothing of it is adopted', async () => {
    await using sandbox = await SnapshotSandbox.open({ policy: sealed })
    const target = { labels: { [labelKeys.snapshotRef]: first } }
    await sandbox.unpack(await sandbox.tenant('host'), one)
    const tenant = await sandbox.tenant('tenant-a')
    expect(await exists(tenant.snapshotter, first)).toBe(false)
    await tenant.snapshotter.prepare('key', undefined, target)
    expect(await namesOf(tenant.snapshotter)).toEqual(['key'])

    const chain = await sandbox.unpack(tenant, two!)
    expect(await exists(tenant.snapshotter, chain[0]!)).toBe(true)
    for (const other of ['host', 'tenant-b'])
      expect(await exists((await sandbox.tenant(other, other)).snapshotter, chain[0]!)).toBe(false)
    expect(await exists((await sandbox.tenant('another')).snapshotter, first)).toBe(true)
  })

  test('F02 what a namespace unpacked before it was sealed is not adopted any more', async () => {
    const [opened] = await unpacked()
    await using sandbox = opened
    await sandbox.reopen({ policy: (namespace) => (namespace === 'a' ? 'sealed' : 'shared') })
    expect(await exists((await sandbox.tenant('b')).snapshotter, third)).toBe(false)
  })
})
