import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mountAll } from './mount.ts'
import type { Mount } from './mount-record.ts'
import { listMounts } from './mount-table.ts'
import { unmount } from './unmount.ts'
import { withTempMount } from './with-temp-mount.ts'

describeWith({ root: true, linux: true }, 'several mounts', () => {
  let scratch: Awaited<ReturnType<typeof scratchMount>>
  let path: (name: string) => string
  let bind: Mount
  const tmpDir = process.env.TMPDIR

  beforeEach(async () => {
    scratch = await scratchMount()
    path = (name) => join(scratch.path, name)
    await mkdir(path('source/below'), { recursive: true })
    await mkdir(path('target'))
    await mkdir(path('tmp'))
    process.env.TMPDIR = path('tmp')
    bind = { type: 'bind', source: path('source'), options: ['rbind'] }
  })
  afterEach(async () => {
    if (tmpDir === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = tmpDir
    await scratch[Symbol.asyncDispose]()
  })

  const nothingLeft = async () => {
    expect(readdirSync(path('tmp'))).toEqual([])
    expect(await listMounts({ under: scratch.path })).toHaveLength(1)
  }

  const broken: Mount = { type: 'tmpfs', source: 'x', options: ['bogus'] }
  const tmpfs: Mount = { type: 'tmpfs', source: 'x', options: [] }

  test('mountAll mounts in order, below what it has mounted', async () => {
    await mountAll([bind, { ...tmpfs, target: 'below' }], path('target'))
    const places = (await listMounts({ under: path('target') })).map(({ mountPoint }) => mountPoint)
    expect(places).toEqual([path('target'), path('target/below')])
  })

  test('mountAll unmounts what it has mounted if one fails, and nothing else', async () => {
    await mountAll([tmpfs], path('target'))
    const before = await listMounts({ under: scratch.path })
    await expect(
      mountAll([bind, { ...tmpfs, target: 'below' }, broken], path('target')),
    ).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(await listMounts({ under: scratch.path })).toEqual(before)
  })

  test('withTempMount gives the mounted directory and what its user returns', async () => {
    let used = ''
    const result = await withTempMount([bind], (at) => {
      used = at
      writeFileSync(join(at, 'written'), '')
      return 42
    })
    expect(result).toBe(42)
    expect(readdirSync(path('source'))).toContain('written')
    expect(dirname(dirname(used))).toBe(path('tmp'))
    await nothingLeft()
  })

  test.each([
    ['its user fails', () => [bind], () => Promise.reject(new Error('failed')), 'failed'],
    ['a mount fails', () => [bind, broken], () => undefined, /bogus/],
  ])('withTempMount leaves nothing if %s', async (_, mounts, use, message) => {
    await expect(withTempMount(mounts(), use)).rejects.toThrow(message)
    await nothingLeft()
  })

  test('D10 withTempMount removes nothing of a mount that stays in use', async () => {
    await using files = new AsyncDisposableStack()
    let used = ''
    const failure = withTempMount([bind], async (at) => {
      used = at
      writeFileSync(join(at, 'kept'), '')
      files.use(await open(join(at, 'kept')))
    })
    await expect(failure).rejects.toThrow()
    expect(readdirSync(used)).toContain('kept')
    await unmount(used, { lazy: true })
    expect(readdirSync(path('source'))).toContain('kept')
  })

  test('withTempMount lets go of a mount that stays in use, if it may be lazy', async () => {
    let used = ''
    const use = async (at: string) => {
      used = at
      writeFileSync(join(at, 'kept'), 'content')
      return await open(join(at, 'kept'))
    }
    await using file = await withTempMount([bind], use, { lazy: true })
    expect(existsSync(dirname(used))).toBe(false)
    expect(await file.readFile('utf8')).toBe('content')
    expect(readdirSync(path('source'))).toContain('kept')
  })

  test('D01 withTempMount keeps other users from what it mounts, whatever mode that has', async () => {
    await withTempMount([{ ...tmpfs, options: ['mode=0777'] }], (at) => {
      expect(statSync(at).mode & 0o777).toBe(0o777)
      expect(statSync(dirname(at)).mode & 0o777).toBe(0o700)
    })
  })

  test('withTempMount of nothing is refused', async () => {
    await expect(withTempMount([], () => undefined)).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('withTempMount that is aborted before it begins makes nothing', async () => {
    const signal = AbortSignal.abort()
    await expect(withTempMount([bind], () => undefined, { signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    await nothingLeft()
  })
})
