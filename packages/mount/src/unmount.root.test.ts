import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { run, runOrThrow, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mount } from './mount.ts'
import { isMountPoint, listMounts } from './mount-table.ts'
import { unmount } from './unmount.ts'

const tmpfs = { type: 'tmpfs', source: 'memory', options: [] }

describeWith({ root: true, linux: true }, 'unmount', () => {
  let scratch: Awaited<ReturnType<typeof scratchMount>>
  let path: (name: string) => string
  const mounted = async () =>
    (await listMounts({ under: scratch.path })).slice(1).map(({ mountPoint }) => mountPoint)

  beforeEach(async () => {
    scratch = await scratchMount()
    path = (name) => join(scratch.path, name)
    await mkdir(path('target'))
  })
  afterEach(() => scratch[Symbol.asyncDispose]())

  test('ends the topmost mount at a place, and succeeds when nothing is mounted there any more', async () => {
    await mount(tmpfs, path('target'))
    await mount(tmpfs, path('target'))
    await unmount(path('target'))
    expect(await mounted()).toEqual([path('target')])
    await unmount(path('target'))
    await unmount(path('target'))
    expect(await mounted()).toEqual([])
  })

  test('succeeds for what does not exist', async () => {
    await unmount(path('nowhere'))
    await unmount(path('nowhere/below'), { recursive: true })
    writeFileSync(path('file'), '')
    await unmount(path('file/below'))
  })

  test('does not touch the file system that a directory without a mount is on', async () => {
    mkdirSync(path('target/below'))
    await unmount(path('target/below'), { lazy: true })
    await unmount(path('target/below'), { lazy: true, recursive: true })
    expect(await isMountPoint(scratch.path)).toBe(true)
  })

  test('recursively ends all mounts at a place and below, stacked and hidden ones too', async () => {
    await mount(tmpfs, path('target'))
    mkdirSync(path('target/a'))
    await mount(tmpfs, path('target/a'))
    mkdirSync(path('target/a/b c\n\\'))
    await mount(tmpfs, path('target/a/b c\n\\'))
    await mount(tmpfs, path('target/a'))
    await mount(tmpfs, path('target'))
    mkdirSync(path('target-not'))
    await mount(tmpfs, path('target-not'))
    await unmount(path('target'), { recursive: true })
    expect(await mounted()).toEqual([path('target-not')])
  })

  test('recursively ends mounts below a directory that is none', async () => {
    mkdirSync(path('target/a'))
    await mount(tmpfs, path('target/a'))
    await unmount(path('target'), { recursive: true })
    expect(await mounted()).toEqual([])
  })

  test('recursively ends a mount at a place that is not UTF-8', async () => {
    const place = Buffer.concat([Buffer.from(path('target/')), Buffer.of(0xff, 0xfe)])
    mkdirSync(place)
    // A JavaScript string cannot express the place, so printf makes it.
    await runOrThrow('sh', ['-c', `mount -t tmpfs odd "$(printf '${path('target/')}\\377\\376')"`])
    expect(await mounted()).toHaveLength(1)
    await unmount(path('target'), { recursive: true })
    expect(await mounted()).toEqual([])
  })

  test('is refused while the mount is in use, unless it is lazy', async () => {
    await mount(tmpfs, path('target'))
    await using handle = await open(path('target/file'), 'w+')
    await expect(unmount(path('target'), { busyTimeout: 50 })).rejects.toMatchObject({
      code: 'failed_precondition',
      details: { errno: 'EBUSY' },
    })
    await expect(unmount(path('target'), { busyTimeout: 50, recursive: true })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
    await unmount(path('target'), { lazy: true })
    expect(await mounted()).toEqual([])
    await handle.write('still there')
  })

  test('waits for a mount that is in use for a moment', async () => {
    await mount(tmpfs, path('target'))
    const handle = await open(path('target/file'), 'w')
    setTimeout(() => void handle.close(), 100)
    await unmount(path('target'))
    expect(await mounted()).toEqual([])
  })

  test('stops waiting when it is aborted', async () => {
    await mount(tmpfs, path('target'))
    await using _ = await open(path('target/file'), 'w')
    const signal = AbortSignal.timeout(50)
    await expect(unmount(path('target'), { busyTimeout: 60_000, signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    await expect(unmount(path('target'), { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test('D09 a symbolic link is refused where it may not be followed, and followed elsewhere', async () => {
    symlinkSync(path('target'), path('link'))
    await mount(tmpfs, path('target'))
    await expect(unmount(path('link'), { noFollow: true })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    expect(await mounted()).toEqual([path('target')])
    await unmount(path('link'))
    expect(await mounted()).toEqual([])
  })

  test('D10 a mount that this process may not end is not taken for one that is gone', async () => {
    await mount(tmpfs, path('target'))
    const script = `
      import { unmount } from ${JSON.stringify(new URL('./unmount.ts', import.meta.url).href)}
      for (const recursive of [false, true])
        await unmount(${JSON.stringify(path('target'))}, { recursive }).catch((error) => console.log(error.code))`
    const node = [process.execPath, '--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
    const result = await run('unshare', [
      '--user',
      '--map-root-user',
      '--mount',
      '--',
      ...node,
      '--input-type=module',
      '-e',
      script,
    ])
    expect(result.stderr).toBe('')
    expect(result.stdout).toBe('failed_precondition\nfailed_precondition\n')
  })
})
