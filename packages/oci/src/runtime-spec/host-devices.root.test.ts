import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { hostDevices } from './host-devices.ts'

describeWith({ linux: true, root: true }, 'hostDevices', () => {
  it('finds one by its path', async () => {
    expect(await hostDevices('/dev/null')).toEqual([
      { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
    ])
  })

  it('finds all below a directory, whatever their numbers, and nothing else', async () => {
    await using directory = await tempDir()
    const at = (name: string) => join(directory.path, name)
    await runOrThrow('mkdir', [at('d')])
    await runOrThrow('mknod', ['-m', '640', at('d/block'), 'b', '4095', '1048575'])
    await runOrThrow('mknod', ['-m', '600', at('char'), 'c', '300', '256'])
    await runOrThrow('mknod', [at('fifo'), 'p'])
    await runOrThrow('chown', ['7:8', at('char')])
    await writeFile(at('file'), '')
    await symlink('/dev/null', at('link'))
    expect(await hostDevices(directory.path)).toEqual([
      { path: at('char'), type: 'c', major: 300, minor: 256, fileMode: 0o600, uid: 7, gid: 8 },
      { path: at('d/block'), type: 'b', major: 4095, minor: 1_048_575, fileMode: 0o640, uid: 0, gid: 0 },
    ])
    expect(await hostDevices(at('link'))).toMatchObject([{ path: at('link'), major: 1, minor: 3 }])
    await expect(hostDevices(at('file'))).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(hostDevices(at('none'))).rejects.toMatchObject({ code: 'not_found' })
    await expect(hostDevices(directory.path, { signal: AbortSignal.abort() })).rejects.toThrow('abort')
  })
})
