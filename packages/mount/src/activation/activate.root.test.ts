import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, runOrThrow, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mount } from '../mount.ts'
import type { Mount } from '../mount-record.ts'
import { listMounts } from '../mount-table.ts'
import { unmount } from '../unmount.ts'
import { activateMounts, deactivateMounts, mountsToMake } from './activate.ts'

const needed = { root: true, linux: true, programs: ['mkfs.ext4', 'losetup'] } as const

describeWith(needed, 'mounts to be activated', () => {
  let resources: AsyncDisposableStack
  let path: string
  let directory: string
  const bind = (name: string, ...options: string[]): Mount => {
    return { type: 'bind', source: join(path, name), options: ['rbind', ...options] }
  }
  const mounted = async () => (await listMounts({ under: directory })).map(({ mountPoint }) => mountPoint)
  const at = (index: number) => join(directory, `000${index}`)

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    path = resources.use(await scratchMount()).path
    directory = join(path, 'active')
    for (const name of ['active', 'low', 'mid', 'upper', 'work', 'place', 'outside'])
      await mkdir(join(path, name))
    for (const name of ['low', 'mid']) await writeFile(join(path, name, `from-${name}`), name)
  })
  afterEach(() => resources.disposeAsync())

  test('are those before the last that takes something from them, and each loop device', () => {
    const format: Mount = { type: 'format/overlay', source: 'overlay', options: [] }
    const loop: Mount = { type: 'loop', source: '/image', options: [] }
    expect(mountsToMake([bind('low')])).toBeUndefined()
    expect(mountsToMake([bind('low'), bind('mid'), format])).toBe(2)
    expect(mountsToMake([format, bind('low')])).toBe(0)
    expect(mountsToMake([bind('low'), loop])).toBe(2)
    expect(mountsToMake([bind('low')], true)).toBe(1)
    expect(() => mountsToMake([{ ...loop, type: 'mkfs/loop' }])).toThrow(
      expect.objectContaining({ code: 'unimplemented' }),
    )
  })

  test('give an overlay its layers', async () => {
    const overlay: Mount = {
      type: 'format/overlay',
      source: 'overlay',
      options: ['lowerdir={{ overlay 1 0 }}', `upperdir=${path}/upper`, `workdir=${path}/work`],
    }
    const { active, system } = await activateMounts(
      [bind('low', 'ro'), bind('mid', 'ro'), overlay],
      directory,
    )
    expect(active.map(({ mountPoint }) => mountPoint)).toEqual([at(0), at(1)])
    expect(system).toEqual([
      {
        type: 'overlay',
        source: 'overlay',
        options: [`lowerdir=${at(1)}:${at(0)}`, `upperdir=${path}/upper`, `workdir=${path}/work`],
      },
    ])
    await mount(system[0]!, join(path, 'place'))
    expect((await readdir(join(path, 'place'))).sort()).toEqual(['from-low', 'from-mid'])
    await unmount(join(path, 'place'))
    expect(await mounted()).toEqual([at(0), at(1)])
    await deactivateMounts(directory)
    expect(await mounted()).toEqual([])
    expect(await readdir(directory)).toEqual([])
    expect(await readFile(join(path, 'low/from-low'), 'utf8')).toBe('low')
  })

  test('have directories made in a file system on a loop device, which ends with them', async () => {
    const image = join(path, 'image')
    await runOrThrow('truncate', ['--size=2M', image])
    await runOrThrow('mkfs.ext4', ['-q', image])
    const mounts: Mount[] = [
      { type: 'loop', source: image, options: [] },
      { type: 'format/ext4', source: '{{ mount 0 }}', options: [] },
      {
        type: 'format/mkdir/overlay',
        source: 'overlay',
        options: [
          'X-containerd.mkdir.path={{ mount 1 }}/upper:0755:7:8',
          'X-containerd.mkdir.path={{ mount 1 }}/work',
          `lowerdir=${path}/low`,
          'upperdir={{ mount 1 }}/upper',
          'workdir={{ mount 1 }}/work',
        ],
      },
    ]
    const devices = async () => (await run('losetup', ['--associated', image])).stdout
    for (let turn = 0; turn < 2; turn++) {
      const { active, system } = await activateMounts(mounts, directory)
      expect(active.map(({ mount: { type } }) => type)).toEqual(['loop', 'ext4'])
      expect(system[0]!.options).toEqual([
        `lowerdir=${path}/low`,
        `upperdir=${at(1)}/upper`,
        `workdir=${at(1)}/work`,
      ])
      expect(await devices()).toContain(image)
      const { mode, uid, gid } = await stat(`${at(1)}/upper`)
      expect({ mode: mode & 0o777, uid, gid }).toEqual({ mode: 0o755, uid: 7, gid: 8 })
      expect((await stat(`${at(1)}/work`)).mode & 0o777).toBe(0o700)
      await mount(system[0]!, join(path, 'place'))
      if (turn === 0) await writeFile(join(path, 'place/written'), 'kept')
      else expect(await readFile(join(path, 'place/written'), 'utf8')).toBe('kept')
      await unmount(join(path, 'place'))
      await deactivateMounts(directory)
      await expect.poll(devices).toBe('')
    }
  })

  test('are all made for a while, with a bind mount of the last', async () => {
    const { active, system } = await activateMounts([bind('low', 'ro'), bind('mid', 'ro')], directory, {
      temporary: true,
    })
    expect(active).toHaveLength(2)
    expect(system).toEqual([{ type: 'bind', source: at(1), options: ['rbind'] }])
    await deactivateMounts(directory)
  })

  describe('that fail', () => {
    test.each([
      ['a template of something else', '{{ env "HOME" }}', 'invalid_argument'],
      ['a template that does not end', 'x{{ mount 0', 'invalid_argument'],
      ['a mount that is not there', '{{ mount 1 }}', 'invalid_argument'],
      ['a range that is not there', '{{ overlay 0 9999 }}', 'invalid_argument'],
      ['a directory outside', 'X-containerd.mkdir.path=PATH/outside/x', 'invalid_argument'],
      ['a way out of a mount', 'X-containerd.mkdir.path={{ mount 0 }}/../x', 'invalid_argument'],
      ['a relative directory', 'X-containerd.mkdir.path=x', 'invalid_argument'],
      ['a directory by a link', 'X-containerd.mkdir.path={{ mount 0 }}/link/x', 'failed_precondition'],
      ['a link for a directory', 'X-containerd.mkdir.path={{ mount 0 }}/link', 'failed_precondition'],
      ['a file for a directory', 'X-containerd.mkdir.path={{ mount 0 }}/from-low', 'failed_precondition'],
      ['another mode', 'X-containerd.mkdir.path={{ mount 0 }}/there:0755', 'failed_precondition'],
      ['a mode that is none', 'X-containerd.mkdir.path={{ mount 0 }}/x:07777', 'invalid_argument'],
      ['half an owner', 'X-containerd.mkdir.path={{ mount 0 }}/x:0755:1', 'invalid_argument'],
      ['something else to make', 'X-containerd.mkdir.file={{ mount 0 }}/x', 'invalid_argument'],
    ])('E01 for %s leave nothing', async (_what, option, code) => {
      await symlink(join(path, 'outside'), join(path, 'low/link'))
      await mkdir(join(path, 'low/there'), { mode: 0o700 })
      const last: Mount = {
        type: 'format/mkdir/overlay',
        source: 'overlay',
        options: [option.replace('PATH', path), `lowerdir=${path}/low`],
      }
      await expect(activateMounts([bind('low'), last], directory)).rejects.toMatchObject({ code })
      expect(await mounted()).toEqual([])
      expect(await readdir(directory)).toEqual([])
      expect(await readdir(join(path, 'outside'))).toEqual([])
    })

    test('halfway end what was made', async () => {
      const absent: Mount = { type: 'loop', source: join(path, 'absent'), options: [] }
      await expect(activateMounts([bind('low'), absent], directory)).rejects.toMatchObject({
        code: 'not_found',
      })
      const unknown: Mount = { type: 'loop', source: join(path, 'low/from-low'), options: ['offset=1'] }
      await expect(activateMounts([bind('low'), unknown], directory)).rejects.toMatchObject({
        code: 'invalid_argument',
      })
      expect(await mounted()).toEqual([])
      expect(await readdir(directory)).toEqual([])
    })
  })
})
