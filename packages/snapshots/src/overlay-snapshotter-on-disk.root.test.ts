import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mount, withTempMount } from '@nsbox/mount'
import { scratchMount, type TempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openOverlaySnapshotter } from './open-overlay-snapshotter.ts'

describeWith({ root: true, linux: true }, 'an overlay snapshotter', () => {
  let scratch: TempDir
  let root: string
  const open = () => openOverlaySnapshotter({ root })

  beforeEach(async () => {
    scratch = await scratchMount()
    root = join(scratch.path, 'snapshots')
  })
  afterEach(() => scratch[Symbol.asyncDispose]())

  test('has only one layer bind-mounted, and every overlay without an index', async () => {
    await using snapshotter = await open()
    const [base] = await snapshotter.prepare('key', undefined)
    expect(base).toMatchObject({ type: 'bind', options: ['rw', 'rbind'] })
    expect(await snapshotter.layerDirectory('key')).toEqual({
      path: base!.source,
      opaqueAttribute: 'trusted.overlay.opaque',
    })
    await snapshotter.commit('base', 'key')
    expect(await snapshotter.view('view', 'base')).toEqual([
      { type: 'bind', source: base!.source, options: ['ro', 'rbind'] },
    ])
    const [active] = await snapshotter.prepare('active', 'base')
    expect(active).toMatchObject({ type: 'overlay', source: 'overlay' })
    expect(active!.options).toContain('index=off')
    await expect(snapshotter.layerDirectory('base')).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(snapshotter.layerDirectory('view')).rejects.toMatchObject({ code: 'failed_precondition' })
  })

  test('gives implied directories the attributes of a parent that comes late', async () => {
    await using snapshotter = await open()
    const { path: base } = { path: (await snapshotter.prepare('base key', undefined))[0]!.source }
    await mkdir(join(base, 'etc'), { mode: 0o710 })
    await snapshotter.prepare('top key', undefined)
    const { path: top } = await snapshotter.layerDirectory('top key')
    await mkdir(join(top, 'etc'))
    await writeFile(join(top, 'etc/file'), '')
    await snapshotter.commit('base', 'base key')
    const impliedDirectories = ['', 'etc']
    const bad = [...impliedDirectories, 'etc/file']
    await expect(
      snapshotter.commit('top', 'top key', { parent: 'base', impliedDirectories: bad }),
    ).rejects.toMatchObject({ code: 'failed_precondition' })
    await snapshotter.commit('top', 'top key', { parent: 'base', impliedDirectories })
    await withTempMount(await snapshotter.view('view', 'top'), async (path) => {
      expect((await stat(join(path, 'etc'))).mode & 0o777).toBe(0o710)
      expect(await readFile(join(path, 'etc/file'), 'utf8')).toBe('')
    })
  })

  test('commits layers on top of each other at once, with fewer syncs than layers', async () => {
    let syncs = 0
    const sync = async () => {
      syncs += 1
    }
    await using snapshotter = await openOverlaySnapshotter({ root, sync })
    const names = ['one', 'two', 'three', 'four']
    for (const [index, name] of names.entries()) {
      await snapshotter.prepare(`${name} key`, undefined)
      const { path } = await snapshotter.layerDirectory(`${name} key`)
      // The second and the last imply it, and take its mode from the layers that are committed along with them.
      await mkdir(join(path, 'etc'), { mode: [0o710, 0o700, 0o750, 0o700][index]! })
      await writeFile(join(path, 'etc', name), '')
    }
    const infos = await Promise.all(
      names.map((name, index) =>
        snapshotter.commit(name, `${name} key`, {
          parent: names[index - 1],
          impliedDirectories: index % 2 === 0 ? [] : ['etc'],
        }),
      ),
    )
    expect(infos).toMatchObject(names.map((name, index) => ({ name, parent: names[index - 1] })))
    expect(syncs).toBeLessThan(names.length)
    const modes = names.map(async (name) =>
      withTempMount(await snapshotter.view(`view of ${name}`, name), async (path) => [
        (await readdir(join(path, 'etc'))).length,
        (await stat(join(path, 'etc'))).mode & 0o777,
      ]),
    )
    expect(await Promise.all(modes)).toEqual([
      [1, 0o710],
      [2, 0o710],
      [3, 0o750],
      [4, 0o750],
    ])
  })

  test('leaves a layer as it was if the commit of the one below fails', async () => {
    await using snapshotter = await open()
    for (const key of ['low', 'high']) await snapshotter.prepare(key, undefined)
    const abort = new AbortController()
    const low = snapshotter.commit('a', 'low', { signal: abort.signal })
    const high = snapshotter.commit('b', 'high', { parent: 'a' })
    abort.abort(new Error('enough'))
    const settled = await Promise.allSettled([low, high])
    expect(settled).toMatchObject([{ reason: { message: 'enough' } }, { reason: { code: 'not_found' } }])
    await snapshotter.commit('a', 'low')
    expect(await snapshotter.commit('b', 'high', { parent: 'a' })).toMatchObject({ parent: 'a' })
  })

  test('refuses a file system that cannot hold overlays', async () => {
    await mkdir(root)
    await mount({ type: 'ramfs', source: 'nsbox-test', options: [] }, root)
    await expect(open()).rejects.toMatchObject({ code: 'failed_precondition' })
  })
})
