import { fileURLToPath } from 'node:url'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'

const source = (file: string) => JSON.stringify(fileURLToPath(new URL(file, import.meta.url)))

/** Makes two layers, the second of which deletes content of the first, and prints the result. */
const program = (root: string) => `
  import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
  import { withTempMount } from ${JSON.stringify(import.meta.resolve('@nsbox/mount'))}
  import { openOverlaySnapshotter } from ${source('./open-overlay-snapshotter.ts')}
  const snapshotter = await openOverlaySnapshotter({ root: ${JSON.stringify(root)} })
  await withTempMount(await snapshotter.prepare('key', undefined), (path) => {
    mkdirSync(path + '/directory')
    for (const name of ['gone', 'kept', 'directory/gone']) writeFileSync(path + '/' + name, '')
  })
  await snapshotter.commit('base', 'key')
  const [mounted] = await snapshotter.prepare('key', 'base')
  const { opaqueAttribute } = await snapshotter.layerDirectory('key')
  await withTempMount([mounted], (path) => {
    rmSync(path + '/gone')
    rmSync(path + '/directory', { recursive: true })
    mkdirSync(path + '/directory')
  })
  await snapshotter.commit('top', 'key', {
    parent: 'base',
    impliedDirectories: [''],
  })
  const names = await withTempMount(await snapshotter.view('view', 'top'), (path) =>
    readdirSync(path, { recursive: true }).sort())
  await snapshotter.remove('view')
  await snapshotter[Symbol.asyncDispose]()
  console.log(JSON.stringify({ names, options: mounted.options.slice(0, 2), opaqueAttribute }))`

describeWith({ linux: true, programs: ['unshare'] }, 'root in a user namespace', () => {
  test('has overlays with attributes of the user', async () => {
    await using dir = await tempDir('nsbox-snapshots')
    const node = [process.execPath, '--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
    const { stdout } = await runOrThrow('unshare', [
      ...['--user', '--map-root-user', '--mount', '--'],
      ...node,
      '--input-type=module',
      '--eval',
      program(dir.path),
    ])
    expect(JSON.parse(stdout)).toEqual({
      names: ['directory', 'kept'],
      options: ['index=off', 'userxattr'],
      opaqueAttribute: 'user.overlay.opaque',
    })
  })
})
