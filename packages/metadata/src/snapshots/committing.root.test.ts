import type { Snapshotter } from '@nsbox/core/snapshots'
import { errorCode, NsboxError } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { Gate } from '../testing/gate.ts'
import { overlays } from '../testing/overlays.ts'
import { namesOf, SnapshotSandbox, snapshotEvents } from '../testing/snapshot-sandbox.ts'

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
    expect(
      snapshotEvents(sandbox).flatMap(([, { payload }]) => ('name' in payload ? [payload.name] : [])),
    ).toEqual(['base', 'middle', 'top'])
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
