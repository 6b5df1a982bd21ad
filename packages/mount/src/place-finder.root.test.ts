import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mount } from './mount.ts'
import { overlayMount } from './overlay.ts'
import { isUncovered, PlaceFinder, resolvedForMaking } from './place-finder.ts'

describeWith({ root: true, linux: true }, 'the places of a directory', () => {
  let scratch: Awaited<ReturnType<typeof scratchMount>>
  const at = (...names: string[]) => join(scratch.path, ...names)
  const bind = (from: string, to: string, options: string[] = []) =>
    mount({ type: 'bind', source: at(from), options: ['bind', ...options] }, at(to))
  const places = async (path: string) => {
    const found = await new PlaceFinder().of(path)
    return found && { own: [...found.own].sort(), below: [...found.below].sort() }
  }

  beforeEach(async () => {
    scratch = await scratchMount()
    for (const name of ['a/b/c', 'x', 'y', 'z', 'work']) await mkdir(at(name), { recursive: true })
    await writeFile(at('a/file'), '')
    await symlink('a', at('link'))
  })
  afterEach(() => scratch[Symbol.asyncDispose]())

  test('are itself, by whatever links', async () => {
    expect(await places(at('link/../link/b'))).toEqual({ own: [at('a/b')], below: [] })
    expect(await places(at('missing'))).toBeUndefined()
    await symlink('missing', at('dangling'))
    expect(await places(at('dangling'))).toBeUndefined()
  })

  test('E02 are all bind mounts of it, of what it is in, and of what is in it', async () => {
    await bind('a', 'x')
    await bind('a/b/c', 'y')
    expect(await places(at('a/b'))).toEqual({ own: [at('a/b'), at('x/b'), at('y')].sort(), below: [] })
    expect(await places(at('x/b/c'))).toEqual({ own: [at('a/b/c'), at('x/b/c'), at('y')].sort(), below: [] })
    expect(await places(at('y'))).toEqual({ own: [at('a/b/c'), at('x/b/c'), at('y')].sort(), below: [] })
    expect((await places(at('a/file')))?.own).toEqual([at('a/file'), at('x/file')].sort())
  })

  test('E02 below it are those of what is mounted in it', async () => {
    await mkdir(at('z/in'))
    await bind('a', 'z/in')
    expect(await places(at('z'))).toEqual({ own: [at('z')], below: [at('a'), at('z/in')].sort() })
  })

  test('E02 of an overlay are those of its upper directory, and of no lower one', async () => {
    await mount(overlayMount({ lower: [at('y')], upper: at('a'), work: at('work') }), at('x'))
    expect(await places(at('x/b'))).toEqual({ own: [at('a/b'), at('x/b')].sort(), below: [] })
  })

  test('E02 of what another mount covers are not those of what is covered', async () => {
    await bind('x', 'a/b')
    expect(await places(at('a/b'))).toEqual({ own: [at('a/b'), at('x')].sort(), below: [] })
    expect([await isUncovered(at('a/b')), await isUncovered(at('a')), await isUncovered(at('link'))]).toEqual(
      [false, true, false],
    )
  })

  test('E02 of what this process sees nowhere are none', async () => {
    for (const path of ['/proc/self/ns/mnt', '/proc/self/ns/net'])
      await expect(new PlaceFinder().of(path)).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('of what is to be made are as far as it is known', async () => {
    expect(await resolvedForMaking(at('link/new/more'))).toBe(at('a/new/more'))
    await symlink('missing', at('dangling'))
    expect(await resolvedForMaking(at('dangling'))).toBeUndefined()
    expect(await resolvedForMaking(at('dangling/x'))).toBeUndefined()
    await rm(at('dangling'))
    expect(await resolvedForMaking(at('dangling'))).toBe(at('dangling'))
  })
})
