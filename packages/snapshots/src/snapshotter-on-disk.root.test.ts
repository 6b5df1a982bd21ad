import { access, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { mount, unmount, withTempMount } from '@nsbox/mount'
import { runOrThrow, scratchMount, type TempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { createClock, Timestamp } from '@nsbox/time'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { OpenSnapshotterOptions } from './open-local-snapshotter.ts'
import { openNativeSnapshotter } from './open-native-snapshotter.ts'
import { openOverlaySnapshotter } from './open-overlay-snapshotter.ts'

for (const [name, openSnapshotter] of [
  ['overlay', openOverlaySnapshotter],
  ['native', openNativeSnapshotter],
] as const)
  describeWith({ root: true, linux: true }, `the ${name} snapshotter`, () => {
    let scratch: TempDir
    let root: string
    const open = (options: Partial<OpenSnapshotterOptions> = {}) => openSnapshotter({ root, ...options })

    beforeEach(async () => {
      scratch = await scratchMount()
      root = join(scratch.path, 'snapshots')
    })
    afterEach(() => scratch[Symbol.asyncDispose]())

    const directories = async (of = 'snapshots') => (await readdir(join(root, of))).sort()

    test('can be closed twice, and then does nothing any more', async () => {
      const snapshotter = await open()
      await snapshotter.prepare('key', undefined)
      await Promise.all([snapshotter[Symbol.asyncDispose](), snapshotter[Symbol.asyncDispose]()])
      await snapshotter[Symbol.asyncDispose]()
      const calls = [
        snapshotter.stat('key'),
        snapshotter.usage('key'),
        snapshotter.mounts('key'),
        snapshotter.prepare('other', undefined),
        snapshotter.commit('name', 'key'),
        snapshotter.remove('key'),
        snapshotter.update('key', { merge: {} }),
        snapshotter.cleanup(),
        snapshotter.list()[Symbol.asyncIterator]().next(),
      ]
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'unavailable' })
    })

    test('has everything again when it is opened again', async () => {
      {
        await using snapshotter = await open()
        await withTempMount(await snapshotter.prepare('key', undefined), (path) =>
          writeFile(join(path, 'file'), 'x'),
        )
        await snapshotter.commit('base', 'key', { labels: { a: '1' } })
        await withTempMount(await snapshotter.prepare('top', 'base'), (path) =>
          writeFile(join(path, 'new'), 'y'),
        )
      }
      await using snapshotter = await open()
      expect(await snapshotter.stat('base')).toMatchObject({ kind: 'committed', labels: { a: '1' } })
      await withTempMount(await snapshotter.mounts('top'), async (path) => {
        expect((await readdir(path)).sort()).toEqual(['file', 'new'])
      })
      await snapshotter.prepare('another', undefined)
      expect(await directories()).toEqual(['1', '2', '3'])
    })

    test('lets nobody else in', async () => {
      await mkdir(root, { mode: 0o755 })
      await using snapshotter = await open()
      await snapshotter.prepare('key', undefined)
      for (const path of ['', 'snapshots', 'trash', 'snapshots/1'])
        expect((await stat(join(root, path))).mode & 0o777).toBe(0o700)
      expect((await stat(join(root, 'metadata.db'))).mode & 0o777).toBe(0o600)
    })

    test('hands out mounts that another program can mount', async () => {
      await using snapshotter = await open()
      await withTempMount(await snapshotter.prepare('key', undefined), (path) =>
        writeFile(join(path, 'one'), ''),
      )
      await snapshotter.commit('one', 'key')
      await withTempMount(await snapshotter.prepare('key', 'one'), (path) => writeFile(join(path, 'two'), ''))
      await snapshotter.commit('two', 'key')
      const target = join(scratch.path, 'target')
      await mkdir(target)
      await snapshotter.prepare('active', 'two')
      await snapshotter.view('view', 'two')
      await snapshotter.view('simple', 'one')
      for (const [key, names] of [
        ['active', ['one', 'two']],
        ['view', ['one', 'two']],
        ['simple', ['one']],
      ] as const) {
        const [record] = await snapshotter.mounts(key)
        const { type, source, options } = record!
        const flags = type === 'bind' ? ['--bind'] : ['--types', type, '--options', options.join(',')]
        await runOrThrow('mount', [...flags, source, target])
        expect((await readdir(target)).sort()).toEqual(names)
        await unmount(target)
      }
    })

    test('D10 removes no snapshot in which something is mounted', async () => {
      await using snapshotter = await open()
      const [base] = await snapshotter.prepare('key', undefined)
      const precious = join(scratch.path, 'precious')
      await mkdir(precious)
      await writeFile(join(precious, 'file'), '')
      await mkdir(join(base!.source, 'inside'))
      await mount({ type: 'bind', source: precious, options: ['bind'] }, join(base!.source, 'inside'))
      await expect(snapshotter.remove('key')).rejects.toMatchObject({ code: 'failed_precondition' })
      expect(await snapshotter.stat('key')).toMatchObject({ kind: 'active' })
      expect(await readdir(precious)).toEqual(['file'])
      await unmount(join(base!.source, 'inside'))
      await snapshotter.remove('key')
      expect(await directories()).toEqual([])
      expect(await directories('trash')).toEqual([])
    })

    test('cleans up what belongs to no snapshot, and says what it cannot', async () => {
      const leftovers: unknown[] = []
      await using snapshotter = await open({ onLeftover: (error) => leftovers.push(error) })
      await snapshotter.prepare('key', undefined)
      for (const path of ['snapshots/77/fs', 'trash/78/fs'])
        await mkdir(join(root, path), { recursive: true })
      await mount({ type: 'tmpfs', source: 'nsbox-test', options: [] }, join(root, 'trash/78/fs'))
      await expect(snapshotter.cleanup()).rejects.toMatchObject({ code: 'failed_precondition' })
      expect(await directories()).toEqual(['1'])
      await unmount(join(root, 'trash/78/fs'))
      await snapshotter.cleanup()
      expect(await directories('trash')).toEqual([])
      await access(join(root, 'snapshots/1/fs'))
      expect(leftovers).toEqual([])
    })

    test('does not clean up what is being made', async () => {
      await using snapshotter = await open()
      const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`)
      let making = true
      const made = Promise.all(keys.map((key) => snapshotter.prepare(key, undefined))).finally(() => {
        making = false
      })
      while (making) await snapshotter.cleanup()
      for (const [mounted] of await made) await access(mounted!.source)
      expect(await directories()).toHaveLength(50)
    })

    test('makes the directory of an active snapshot again that a power cut took', async () => {
      {
        await using snapshotter = await open()
        await snapshotter.prepare('key', undefined)
        await snapshotter.commit('base', 'key')
        await snapshotter.prepare('active', 'base')
        await snapshotter.view('view', undefined)
      }
      for (const id of ['2', '3']) await rm(join(root, 'snapshots', id), { recursive: true })
      await using snapshotter = await open()
      for (const key of ['active', 'view'])
        await withTempMount(await snapshotter.mounts(key), async (path) =>
          expect(await readdir(path)).toEqual([]),
        )
    })

    test.each([
      ['data_loss', 'EIO'],
      ['resource_exhausted', 'ENOSPC'],
    ] as const)('D21 commits no snapshot whose files the disk may have lost: %s', async (code, errno) => {
      let failing = true
      const sync = async () => {
        if (failing) throw new NsboxError(code, 'syncfs', { details: { errno } })
      }
      await using snapshotter = await open({ sync })
      await snapshotter.prepare('one', undefined)
      await snapshotter.prepare('two', undefined)
      await expect(snapshotter.commit('name', 'one')).rejects.toMatchObject({ code })
      expect(await snapshotter.stat('one')).toMatchObject({ kind: 'active' })
      failing = false
      for (const key of ['one', 'two'])
        await expect(snapshotter.commit('name', key)).rejects.toMatchObject({ code: 'data_loss' })
      await snapshotter.prepare('three', undefined)
      await snapshotter.commit('name', 'three')
    })

    test('does not remove or commit a snapshot that is being committed', async () => {
      let release = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      await using snapshotter = await open({ sync: () => held })
      await snapshotter.prepare('key', undefined)
      const committed = snapshotter.commit('name', 'key')
      await expect(snapshotter.commit('other', 'key')).rejects.toMatchObject({ code: 'unavailable' })
      await expect(snapshotter.remove('key')).rejects.toMatchObject({ code: 'unavailable' })
      release()
      expect(await committed).toMatchObject({ name: 'name' })
    })

    test('D22 keeps the times of a snapshot in order when the clock goes back', async () => {
      let now = 2_000_000
      await using snapshotter = await open({ clock: createClock(() => now) })
      await snapshotter.prepare('key', undefined)
      now = 1_000_000
      const info = await snapshotter.update('key', { merge: { a: '1' } })
      expect(info.createdAt).toEqual(Timestamp.fromEpochMilliseconds(2_000_000))
      expect(info.updatedAt > info.createdAt).toBe(true)
    })

    test('cannot be opened where no directory can be made, and says so', async () => {
      await expect(open({ root: '/proc/nsbox' })).rejects.toMatchObject({ code: 'not_found' })
      await writeFile(root, '')
      await expect(open()).rejects.toMatchObject({ code: 'already_exists' })
    })
  })
