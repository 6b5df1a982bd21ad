import { lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PlaceOptions } from '../mount-platform.ts'
import type { Mount } from '../mount-record.ts'
import { listMounts, mountOf } from '../mount-table.ts'
import { classicMount } from './classic-mount.ts'
import { detachedMount } from './detached-mount.ts'
import { mountOnLinux } from './mount.ts'
import { mountRequest } from './mount-request.ts'
import { openPlace } from './place.ts'

type Engine = (mount: Mount, target: string, options?: PlaceOptions) => Promise<unknown>

const engines: Record<string, Engine> = {
  'with fsopen and open_tree': (mount, target, options = {}) => mountOnLinux(mount, target, options),
  'with mount(2)': async (mount, target, { noFollow = false } = {}) => {
    const open = () => openPlace({ target, below: mount.target ?? '', noFollow })
    using place = open()
    await classicMount(mountRequest(mount), place, open)
  },
}

const bind = (source: string, ...options: string[]): Mount => ({ type: 'bind', source, options })
const tmpfs = (...options: string[]): Mount => ({ type: 'tmpfs', source: 'memory', options })

describeWith({ root: true, linux: true }, 'mounting', () => {
  let scratch: Awaited<ReturnType<typeof scratchMount>>
  let path: (name: string) => string
  let descriptors: string[]

  beforeEach(async () => {
    scratch = await scratchMount()
    path = (name) => join(scratch.path, name)
    for (const name of ['source', 'source/below', 'target', 'outside']) await mkdir(path(name))
    await writeFile(path('source/file'), 'content')
    descriptors = readdirSync('/proc/self/fd')
  })

  afterEach(async () => {
    const left = readdirSync('/proc/self/fd').filter((fd) => !descriptors.includes(fd))
    await scratch[Symbol.asyncDispose]()
    expect(left).toEqual([])
  })

  test('the kernel here has the calls that make a mount before it is attached', () => {
    using detached = detachedMount(mountRequest(tmpfs()))
    expect(detached).toBeDefined()
  })

  describe.each(Object.entries(engines))('%s', (_, mount) => {
    test('a bind mount shows a directory at another place', async () => {
      await mount(bind(path('source'), 'bind'), path('target'))
      writeFileSync(path('target/new'), 'x')
      expect(readdirSync(path('source')).sort()).toEqual(['below', 'file', 'new'])
    })

    test('a bind mount shows a file at another place', async () => {
      await writeFile(path('other'), '')
      await mount(bind(path('source/file')), path('other'))
      expect(readFileSync(path('other'), 'utf8')).toBe('content')
    })

    test('a bind mount that is read-only leaves its source writable', async () => {
      await mount(bind(path('source'), 'rbind', 'ro'), path('target'))
      expect(() => writeFileSync(path('target/new'), 'x')).toThrow(/EROFS/)
      writeFileSync(path('source/new'), 'x')
      expect(await listMounts({ under: path('target') })).toMatchObject([{ options: ['ro', 'relatime'] }])
    })

    test('a recursive bind mount brings the mounts below along, a single one does not', async () => {
      await mount(tmpfs(), path('source/below'))
      await mount(bind(path('source'), 'bind'), path('target'))
      await mount(bind(path('source'), 'rbind'), path('outside'))
      expect((await listMounts({ under: path('target') })).map(({ mountPoint }) => mountPoint)).toEqual([
        path('target'),
      ])
      expect((await listMounts({ under: path('outside') })).map(({ mountPoint }) => mountPoint)).toEqual([
        path('outside'),
        path('outside/below'),
      ])
    })

    test('a bind mount keeps attributes of its source that are not spoken of', async () => {
      await mount(tmpfs('nosuid', 'nodev', 'noatime'), path('source/below'))
      await mount(bind(path('source/below'), 'bind', 'ro', 'dev'), path('target'))
      expect((await mountOf(path('target'))).options).toEqual(['ro', 'nosuid', 'noatime'])
    })

    test('a new file system takes attributes and options of its own', async () => {
      await mount(
        tmpfs('ro', 'nosuid', 'nodev', 'noexec', 'strictatime', 'nodiratime', 'size=1m', 'mode=0750'),
        path('target'),
      )
      const info = await mountOf(path('target'))
      expect(info).toMatchObject({ type: 'tmpfs', source: 'memory' })
      expect(info.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'nodiratime'])
      expect(info.superOptions).toEqual(expect.arrayContaining(['ro', 'size=1024k', 'mode=750']))
      expect(statSync(path('target')).mode & 0o7777).toBe(0o750)
    })

    test('propagation is as asked for', async () => {
      await mount(tmpfs('shared'), path('source/below'))
      expect((await mountOf(path('source/below'))).propagation.shared).toBeGreaterThan(0)
      await mount(bind(path('source'), 'rbind', 'rslave'), path('target'))
      expect((await mountOf(path('target'))).propagation).toEqual({ unbindable: false })
      expect((await mountOf(path('target/below'))).propagation.master).toBeGreaterThan(0)
      await mount(bind(path('outside'), 'bind', 'unbindable'), path('outside'))
      expect((await mountOf(path('outside'))).propagation.unbindable).toBe(true)
    })

    test('a mount goes on top of what is mounted there', async () => {
      await mount(tmpfs(), path('target'))
      await mount(bind(path('source')), path('target'))
      expect(await readdir(path('target'))).toContain('file')
      expect(await listMounts({ under: path('target') })).toHaveLength(2)
    })

    test('a target of the record lies below the place', async () => {
      await mount({ ...bind(path('source')), target: '/below' }, path('source'))
      expect(await listMounts({ under: path('source') })).toMatchObject([
        { mountPoint: path('source/below') },
      ])
    })

    test.each(['link', '../outside', 'link/../../outside'])(
      'D09 a target %s of the record does not lead out of the place',
      async (target) => {
        await symlink(path('outside'), path('target/link'))
        const failure = await mount({ ...tmpfs(), target }, path('target')).catch((error) => error)
        expect(failure).toBeInstanceOf(Error)
        expect(await listMounts({ under: scratch.path })).toHaveLength(1)
      },
    )

    test('D09 a symbolic link as the place is refused or followed, as it may be', async () => {
      await symlink(path('outside'), path('link'))
      const noFollow = { noFollow: true }
      await expect(mount(tmpfs(), path('link'), noFollow)).rejects.toMatchObject({ code: 'invalid_argument' })
      expect(await listMounts({ under: scratch.path })).toHaveLength(1)
      await mount(tmpfs('mode=0701'), path('link'))
      expect(lstatSync(path('outside')).mode & 0o7777).toBe(0o701)
    })

    test('D09 options inside of an option are refused', async () => {
      const failure = { name: 'NsboxError' }
      await expect(mount(tmpfs('size=1m,mode=0777'), path('target'))).rejects.toMatchObject(failure)
      expect(await listMounts({ under: path('target') })).toEqual([])
    })

    test.each([
      ['a source that does not exist', bind('/does/not/exist')],
      ['an option that the file system does not know', tmpfs('bogus')],
      ['an option with a value that is none', tmpfs('size=x')],
      ['a type that the kernel does not know', { type: 'no-such-fs', source: '', options: [] }],
    ])('%s is an error that leaves no mount', async (_, record) => {
      await expect(mount(record, path('target'))).rejects.toMatchObject({ name: 'NsboxError' })
      expect(await listMounts({ under: path('target') })).toEqual([])
    })
  })

  test.each([
    ['invalid_argument', /Unknown parameter 'bogus'/, tmpfs('bogus=1')],
    ['invalid_argument', /size=x: EINVAL/, tmpfs('size=x')],
    ['unimplemented', /no-such-fs on/, { type: 'no-such-fs', source: '', options: [] }],
    ['not_found', /mounting bind on/, bind('/does/not/exist')],
    ['not_found', /lowerdir\+=\/nope/, { type: 'overlay', source: '', options: ['lowerdir=/nope'] }],
    ['invalid_argument', /no use for them: lazytime size/, bind('/', 'lazytime', 'size=1')],
    ['invalid_argument', /remount without bind/, tmpfs('remount')],
    ['invalid_argument', /without a type/, { type: '', source: '', options: [] }],
    ['invalid_argument', /characters/, { type: 'tmpfs', source: 'a\0b', options: [] }],
  ])('an error is %s and says %s', async (code, message, record) => {
    await expect(mountOnLinux(record, path('target'), {})).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  test('a source or value that fsconfig has no room for is given by mount(2)', async () => {
    const source = 'x'.repeat(300)
    await mountOnLinux({ type: 'tmpfs', source, options: [] }, path('target'), {})
    expect(await mountOf(path('target'))).toMatchObject({ source })
  })

  test('a place that does not exist is not found', async () => {
    await expect(mountOnLinux(tmpfs(), path('nowhere'), {})).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a mount that is there becomes read-only and writable again by a remount, and keeps the rest', async () => {
    await mountOnLinux(tmpfs('nosuid', 'noexec'), path('target'), {})
    await mountOnLinux({ type: '', source: '', options: ['remount', 'bind', 'ro'] }, path('target'), {})
    expect((await mountOf(path('target'))).options).toEqual(['ro', 'nosuid', 'noexec', 'relatime'])
    await mountOnLinux({ type: '', source: '', options: ['remount', 'bind', 'rw'] }, path('target'), {})
    expect((await mountOf(path('target'))).options).toEqual(['rw', 'nosuid', 'noexec', 'relatime'])
  })
})
