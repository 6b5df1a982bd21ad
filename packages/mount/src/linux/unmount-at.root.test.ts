import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { UMOUNT } from '@nsbox/sys'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { mount } from '../mount.ts'
import { isMountPoint } from '../mount-table.ts'
import { unmountAt } from './unmount-at.ts'

describeWith({ root: true, linux: true }, 'unmountAt', () => {
  test('D09 does not follow a symbolic link that has come into the path', async () => {
    await using scratch = await scratchMount()
    const [own, victim] = [join(scratch.path, 'own'), join(scratch.path, 'victim')]
    for (const directory of [own, victim]) mkdirSync(join(directory, 'data'), { recursive: true })
    await mount({ type: 'tmpfs', source: 'x', options: [] }, join(own, 'data'))
    await mount({ type: 'tmpfs', source: 'x', options: [] }, join(victim, 'data'))
    renameSync(own, join(scratch.path, 'moved'))
    symlinkSync(victim, own)
    await expect(unmountAt(Buffer.from(join(own, 'data')), UMOUNT.DETACH)).rejects.toMatchObject({
      details: { errno: 'ELOOP' },
    })
    expect(await isMountPoint(join(victim, 'data'))).toBe(true)
  })
})
