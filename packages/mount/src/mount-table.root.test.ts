import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mount } from './mount.ts'
import { isMountPoint, listMounts, mountOf, readMounts } from './mount-table.ts'
import { overlayMount } from './overlay.ts'
import { unmount } from './unmount.ts'

const tmpfs = (source = 'memory') => ({ type: 'tmpfs', source, options: [] })

describeWith({ root: true, linux: true }, 'the mount table', () => {
  test('has the names of mounts exactly, whatever characters they have', async () => {
    await using scratch = await scratchMount()
    const name = fc
      .string({
        unit: fc.oneof(
          fc.constantFrom('\\', ' ', '\n', '\t', '#', '0', '4', ',', '-', '"', '\r'),
          fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        ),
        minLength: 1,
        maxLength: 30,
      })
      .map((name) => name.replaceAll('/', '-').replaceAll('\0', '-'))
      .filter((name) => name !== '.' && name !== '..')
    await fc.assert(
      fc.asyncProperty(name, name, async (source, directory) => {
        const path = join(scratch.path, directory)
        mkdirSync(join(path, 'a'), { recursive: true })
        await mount(tmpfs(source), path)
        try {
          mkdirSync(join(path, source))
          await mount({ type: 'bind', source: join(path, source), options: ['bind'] }, path)
          const [first, second] = await listMounts({ under: path })
          expect(first).toMatchObject({ mountPoint: path, source, root: '/' })
          expect(second).toMatchObject({ mountPoint: path, source, root: `/${source}` })
        } finally {
          await unmount(path, { recursive: true })
        }
      }),
      { numRuns: 50 },
    )
  })

  test('has the directories of an overlay exactly', async () => {
    await using scratch = await scratchMount()
    const lower = join(scratch.path, 'a,b = c\td')
    const target = join(scratch.path, 'target')
    for (const path of [lower, join(scratch.path, 'other'), target]) mkdirSync(path)
    await mount(overlayMount({ lower: [join(scratch.path, 'other'), lower] }, []), target)
    // Directories with a comma are given by their descriptors, which the table then shows.
    const { superOptions } = await mountOf(target)
    expect(superOptions).toContain(`lowerdir+=${join(scratch.path, 'other')}`)
    expect(superOptions).toContainEqual(expect.stringMatching(/^lowerdir\+=\/proc\/self\/fd\/\d+$/))
  })

  test('is filtered by place and type', async () => {
    await using scratch = await scratchMount()
    const path = (name: string) => join(scratch.path, name)
    for (const name of ['a', 'ab']) mkdirSync(path(name))
    await mount(tmpfs(), path('a'))
    await mount({ type: 'bind', source: '/proc', options: ['bind'] }, path('ab'))
    const places = async (filter: Parameters<typeof listMounts>[0]) =>
      (await listMounts(filter)).map(({ mountPoint }) => mountPoint)
    expect(await places({ under: path('a') })).toEqual([path('a')])
    expect(await places({ under: scratch.path, types: ['proc', 'none'] })).toEqual([path('ab')])
    expect(await places({ under: scratch.path, types: [] })).toEqual([])
    expect(await places({})).toContain('/')
  })

  test('stops being read when it is aborted', async () => {
    await expect(listMounts({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  describe('get', () => {
    test('is the mount that a path is on, through symbolic links and under stacked mounts', async () => {
      await using scratch = await scratchMount()
      const target = join(scratch.path, 'target')
      mkdirSync(target)
      await mount(tmpfs('below'), target)
      await mount(tmpfs('above'), target)
      mkdirSync(join(target, 'directory'))
      symlinkSync(join(target, 'directory'), join(scratch.path, 'link'))
      expect(await mountOf(join(scratch.path, 'link'))).toMatchObject({ source: 'above', mountPoint: target })
      expect(await mountOf(scratch.path)).toMatchObject({ mountPoint: scratch.path })
      await unmount(target)
      expect(await mountOf(target)).toMatchObject({ source: 'below' })
    })

    test('does not find what does not exist', async () => {
      await expect(mountOf('/does/not/exist')).rejects.toMatchObject({ code: 'not_found' })
    })
  })

  describe('isMountPoint', () => {
    test('tells mounts, bind mounts of directories and files, and what is none', async () => {
      await using scratch = await scratchMount()
      const path = (name: string) => join(scratch.path, name)
      for (const name of ['directory', 'bound', 'memory']) mkdirSync(path(name))
      for (const name of ['file', 'bound-file']) writeFileSync(path(name), '')
      await mount(tmpfs(), path('memory'))
      // The same device as its parent's, which a comparison of devices would miss.
      await mount({ type: 'bind', source: path('directory'), options: ['bind'] }, path('bound'))
      await mount({ type: 'bind', source: path('file'), options: ['bind'] }, path('bound-file'))
      symlinkSync(path('bound'), path('link'))
      mkdirSync(path('memory/directory'))
      const names = [
        '',
        'memory',
        'bound',
        'bound-file',
        'link',
        'bound/',
        'directory',
        'file',
        'memory/directory',
        'memory/directory/..',
      ]
      const answers = await Promise.all(names.map((name) => isMountPoint(path(name))))
      expect(answers).toEqual([true, true, true, true, true, true, false, false, false, true])
      expect(await isMountPoint('/')).toBe(true)
    })

    test('does not find what does not exist', async () => {
      await expect(isMountPoint('/does/not/exist')).rejects.toMatchObject({ code: 'not_found' })
    })
  })

  test('of thousands of mounts is read as it comes', async () => {
    await using scratch = await scratchMount()
    const script = `
      import { mkdirSync } from 'node:fs'
      import { isMountPoint, listMounts, mountOf, readMounts } from
        ${JSON.stringify(new URL('./mount-table.ts', import.meta.url).href)}
      import { mount } from ${JSON.stringify(new URL('./mount.ts', import.meta.url).href)}
      const dir = ${JSON.stringify(scratch.path)}
      const count = 3000
      for (let at = 0; at < count; at++) {
        mkdirSync(dir + '/' + at)
        await mount({ type: 'bind', source: dir, options: ['bind'] }, dir + '/' + at)
      }
      let first
      for await (const info of readMounts({ under: dir })) { first = info.mountPoint; break }
      const places = new Set((await listMounts({ under: dir })).map(({ mountPoint }) => mountPoint))
      const { mountPoint } = await mountOf(dir + '/2999')
      console.log(JSON.stringify([first, places.size, mountPoint, await isMountPoint(dir + '/17')]))`
    const node = [process.execPath, '--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
    // Its own namespace removes the mounts when the process ends.
    const result = await run('unshare', [
      '--mount',
      '--propagation',
      'private',
      '--',
      ...node,
      '--input-type=module',
      '-e',
      script,
    ])
    expect(result.stderr).toBe('')
    expect(JSON.parse(result.stdout)).toEqual([scratch.path, 3001, join(scratch.path, '2999'), true])
  })

  test('reading may stop early', async () => {
    for await (const info of readMounts()) {
      expect(info.id).toBeGreaterThan(0)
      break
    }
  })
})
