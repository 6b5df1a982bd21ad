import { closeSync, constants, readlinkSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { needs, tempDir } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { mount, openat2, umount2 } from './mount-calls.ts'
import { AT_FDCWD, O_PATH, RESOLVE, UMOUNT } from './mount-flags.ts'

describe.skipIf(needs({ linux: true }))('the calls of Linux about mounts', () => {
  test('an error of a call made in a thread carries the errno of that thread', async () => {
    const paths = ['/does/not/exist', '/proc/self/comm/x', '/does/not/exist']
    const failures = await Promise.allSettled(paths.map((path) => umount2(path, UMOUNT.NOFOLLOW)))
    const errnos = failures.map((each) => each.status === 'rejected' && each.reason.details.errno)
    expect(errnos).toEqual(['ENOENT', 'ENOTDIR', 'ENOENT'])
  })

  test.each([
    ['a NUL, at which C would end it', '/tmp\0/x'],
    ['a lone surrogate, which has no form in UTF-8', '/tmp/\ud800'],
  ])('a string with %s is refused', async (_, path) => {
    const refused = { code: 'invalid_argument' }
    await expect(umount2(path, 0)).rejects.toMatchObject(refused)
    expect(() => mount('x', path, 'tmpfs', 0, null)).toThrow(expect.objectContaining(refused))
    expect(() => openat2(AT_FDCWD, Buffer.from('/tmp\0'), O_PATH, 0)).toThrow(
      expect.objectContaining(refused),
    )
    expect(() => openat2(AT_FDCWD, path, O_PATH, 0)).toThrow(expect.objectContaining(refused))
  })

  test('openat2 keeps a path in its root and refuses symbolic links as it is told', async () => {
    await using dir = await tempDir()
    await mkdir(join(dir.path, 'etc'))
    await symlink('/etc', join(dir.path, 'link'))
    const opened = (directory: number, path: string | Uint8Array, resolve: number) => {
      const fd = openat2(directory, path, O_PATH | constants.O_DIRECTORY, resolve)
      const real = readlinkSync(`/proc/self/fd/${fd}`)
      closeSync(fd)
      return real
    }
    const root = openat2(AT_FDCWD, dir.path, O_PATH, 0)
    expect(opened(root, '../../link', RESOLVE.IN_ROOT)).toBe(join(dir.path, 'etc'))
    expect(opened(root, Buffer.from('link'), RESOLVE.IN_ROOT)).toBe(join(dir.path, 'etc'))
    expect(() => opened(root, 'link', RESOLVE.NO_SYMLINKS)).toThrow(
      expect.objectContaining({ details: { errno: 'ELOOP' } }),
    )
    closeSync(root)
  })
})
