import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { mount, unmount } from '@nsbox/mount'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { Gate } from '../testing/gate.ts'
import { overlays } from '../testing/overlays.ts'
import { namesOf, SnapshotSandbox } from '../testing/snapshot-sandbox.ts'

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
