import type { AbortOptions, ForeignSnapshots, Snapshotter } from '@nsbox/core/snapshots'
import { errorCode, NsboxError } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'
import type { LocalSnapshotter } from '@nsbox/snapshots'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { namesOf, SnapshotSandbox, testLayer } from '../testing/snapshot-sandbox.ts'

const layer = testLayer({ name: 'file', content: 'x' })
const chainId = layer.diffId
const target = { labels: { [labelKeys.snapshotRef]: chainId } }

/**
 * A snapshotter of another process. As snapshotters do that fetch layers by themselves, it makes the committed snapshot
 * of a layer and says that it exists; unless it is told to be `plain`, or to be `away`.
 */
class Foreign {
  plain = false
  away = false
  calls: string[] = []
  /** What it does in place of preparing a snapshot. */
  prepares: (() => Promise<never>) | undefined
  /** The keys that it was asked to prepare. */
  readonly prepared: string[] = []
  readonly #local: LocalSnapshotter

  constructor(local: LocalSnapshotter) {
    this.#local = local
  }

  get snapshotter(): Snapshotter & ForeignSnapshots {
    const local = this.#local
    const asked = <T>(name: string, call: () => T): T => {
      this.calls.push(name)
      if (this.away) throw new NsboxError('unavailable', 'away')
      return call()
    }
    return {
      mark: 'mark',
      stat: async (...args) => asked('stat', () => local.stat(...args)),
      usage: async (...args) => asked('usage', () => local.usage(...args)),
      list: (...args) => asked('list', () => withMark(local.list(...args))),
      mounts: async (...args) => asked('mounts', () => local.mounts(...args)),
      prepare: async (key, parent, options) =>
        asked('prepare', async () => {
          this.prepared.push(key)
          await this.prepares?.()
          const name = options?.labels?.[labelKeys.snapshotRef]
          if (name === undefined || this.plain) return await local.prepare(key, parent, options)
          await local.prepare(key, parent)
          await local.commit(name, key, { labels: options?.labels }).catch(() => local.remove(key))
          throw new NsboxError('already_exists', `target snapshot "${name}"`)
        }),
      view: async (...args) => asked('view', () => local.view(...args)),
      commit: async (name, key, options) =>
        asked('commit', () => local.commit(name, key, { labels: options?.labels })),
      remove: async (...args) => asked('remove', () => local.remove(...args)),
      update: async (...args) => asked('update', () => local.update(...args)),
      cleanup: async (options?: AbortOptions) => asked('cleanup', () => local.cleanup(options)),
      findTarget: async (id, parent) =>
        asked('findTarget', async () => {
          const found = await local.stat(id).catch(() => undefined)
          return found?.parent === parent ? found?.name : undefined
        }),
    }
  }
}

async function* withMark(infos: ReturnType<Snapshotter['list']>) {
  for await (const info of infos) if (info.name.includes('-mark/')) yield info
}

async function opened(options: { policy?: 'shared' | 'isolated' } = {}) {
  const sandbox = await SnapshotSandbox.open(options)
  const foreign = new Foreign(sandbox.overlayfs)
  const reopen = () => sandbox.reopen({ snapshotters: new Map([['overlayfs', foreign.snapshotter]]) })
  await reopen()
  return { sandbox, foreign, reopen }
}

describeWith({ root: true, linux: true }, 'snapshots of a snapshotter of another process', () => {
  test('G04 are not shared, though the server has applied their layers, and bear its mark', async () => {
    const { sandbox, foreign } = await opened()
    await using _ = sandbox
    foreign.plain = true
    const a = await sandbox.tenant('a')
    expect(await sandbox.unpack(a, layer)).toEqual([chainId])
    expect(await sandbox.backings()).toEqual([expect.stringMatching(`^a/\\d+-mark/${chainId}$`)])
    const b = await sandbox.tenant('b')
    expect(await b.snapshotter.stat(chainId).catch(errorCode)).toBe('not_found')
    expect(await sandbox.unpack(b, layer)).toEqual([chainId])
    expect(await sandbox.backings()).toHaveLength(2)
  })

  test('that it has made by itself are there for each namespace that asks, and go with the last', async () => {
    const { sandbox } = await opened()
    await using _ = sandbox
    const tenants = [await sandbox.tenant('a'), await sandbox.tenant('b')]
    for (const { snapshotter } of tenants) {
      await expect(snapshotter.prepare('key', undefined, target)).rejects.toThrow(
        `target snapshot "${chainId}": already exists`,
      )
      expect(await snapshotter.stat(chainId)).toMatchObject({ kind: 'committed', parent: undefined })
      await snapshotter.prepare('on it', chainId)
    }
    expect((await sandbox.backings()).filter((key) => key === chainId)).toHaveLength(1)
    for (const { snapshotter } of tenants) {
      for (const name of ['on it', chainId]) await snapshotter.remove(name)
      await sandbox.metadata.collect()
      const others = tenants.slice(tenants.findIndex((tenant) => tenant.snapshotter === snapshotter) + 1)
      for (const other of others) expect(await other.snapshotter.stat(chainId)).toBeDefined()
      expect((await sandbox.backings()).includes(chainId)).toBe(others.length > 0)
    }
  })

  test('that it has by itself on another parent, or not at all, are not taken', async () => {
    const { sandbox, foreign } = await opened()
    await using _ = sandbox
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.prepare('base', undefined)
    await snapshotter.commit('parent', 'base')
    await expect(snapshotter.prepare('key', undefined, target)).rejects.toThrow('already exists')
    await snapshotter.remove(chainId)
    expect(await snapshotter.prepare('key', 'parent', target).catch(errorCode)).toBe('unavailable')
    expect(await namesOf(snapshotter)).toEqual(['parent'])
    expect(foreign.calls).toContain('findTarget')
  })

  test('G04 of a namespace that shares nothing are made without saying what for', async () => {
    const { sandbox, foreign } = await opened({ policy: 'isolated' })
    await using _ = sandbox
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.prepare('key', undefined, target)
    expect(foreign.calls).not.toContain('findTarget')
    expect((await snapshotter.stat('key')).labels).toEqual(target.labels)
    const [backing] = await sandbox.backings()
    expect({ ...(await sandbox.overlayfs.stat(backing!)).labels }).toEqual({})
  })

  test('G04 are removed as left over only if they bear the mark', async () => {
    const { sandbox, reopen } = await opened()
    await using _ = sandbox
    for (const key of ['theirs', 'a/1/theirs', 'a/1-mark/left', 'a/2-marks/theirs'])
      await sandbox.overlayfs.prepare(key, undefined)
    await reopen()
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toEqual(['a/1/theirs', 'a/2-marks/theirs', 'theirs'])
  })

  test('G01 are left alone for a while by collections when it does not answer, and removed later', async () => {
    const { sandbox, foreign, reopen } = await opened()
    await using _ = sandbox
    await sandbox.metadata.collect()
    const { snapshotter } = await sandbox.tenant('a')
    for (const key of ['one', 'two', 'three']) await snapshotter.prepare(key, undefined)
    foreign.away = true
    foreign.calls = []
    for (const key of ['one', 'two', 'three']) await snapshotter.remove(key)
    for (let time = 0; time < 3; time++) await sandbox.metadata.collect()
    expect(foreign.calls).toEqual(['stat'])
    expect(await sandbox.backings()).toHaveLength(3)
    foreign.away = false
    await reopen()
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toEqual([])
  })

  test.each(['deadline_exceeded', 'unavailable', 'canceled'] as const)(
    'G01 that come after their call was given up with %s are removed by a later collection',
    async (code) => {
      const { sandbox, foreign } = await opened()
      await using _ = sandbox
      await sandbox.metadata.collect()
      const { snapshotter } = await sandbox.tenant('a')
      const given = { up: new NsboxError(code, 'given up') }
      foreign.prepares = async () => {
        throw given.up
      }
      await expect(snapshotter.prepare('key', undefined)).rejects.toBe(given.up)
      for (let time = 0; time < 3; time++) await sandbox.metadata.collect()
      await sandbox.overlayfs.prepare(foreign.prepared.at(-1)!, undefined)
      await sandbox.metadata.collect()
      expect(await sandbox.backings()).toEqual([])
      foreign.calls = []
      await sandbox.metadata.collect()
      expect(foreign.calls).toEqual([])
    },
  )

  test('that the snapshotter has refused are not looked for again', async () => {
    const { sandbox, foreign } = await opened()
    await using _ = sandbox
    await sandbox.metadata.collect()
    const { snapshotter } = await sandbox.tenant('a')
    foreign.prepares = async () => {
      throw new NsboxError('resource_exhausted', 'no room')
    }
    expect(await snapshotter.prepare('key', undefined).catch(errorCode)).toBe('resource_exhausted')
    await sandbox.metadata.collect()
    foreign.calls = []
    await sandbox.metadata.collect()
    expect(foreign.calls).toEqual([])
  })

  test('are removed for good: the snapshotter is asked to clean up once some have gone', async () => {
    const { sandbox, foreign } = await opened()
    await using _ = sandbox
    await sandbox.metadata.collect()
    const { snapshotter } = await sandbox.tenant('a')
    for (const key of ['one', 'two']) await snapshotter.prepare(key, undefined)
    for (const key of ['one', 'two']) await snapshotter.remove(key)
    foreign.calls = []
    await sandbox.metadata.collect()
    expect(foreign.calls).toEqual(['stat', 'stat', 'remove', 'remove', 'cleanup'])
    await sandbox.metadata.collect()
    expect(foreign.calls).toHaveLength(5)
  })

  test('G01 are searched for what is left over once it answers', async () => {
    const { sandbox, foreign } = await opened()
    await using _ = sandbox
    await sandbox.overlayfs.prepare('a/1-mark/left', undefined)
    foreign.away = true
    expect(await sandbox.metadata.collect()).toMatchObject({ trees: 0 })
    foreign.away = false
    const { snapshotter } = await sandbox.tenant('a')
    await snapshotter.cleanup()
    expect(await sandbox.backings()).toEqual([])
  })
})
