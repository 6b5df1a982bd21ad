import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, runOrThrow, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { mount } from './mount.ts'
import { mountOf } from './mount-table.ts'
import { unmount } from './unmount.ts'

const needed = { root: true, linux: true, programs: ['mkfs.ext4', 'losetup'] } as const

describeWith(needed, 'the option `loop`', () => {
  const prepared = async () => {
    const scratch = await scratchMount()
    const image = join(scratch.path, 'image')
    await runOrThrow('truncate', ['--size=2M', image])
    await runOrThrow('mkfs.ext4', ['-q', image])
    const place = join(scratch.path, 'place')
    await runOrThrow('mkdir', [place])
    const devices = async () => (await run('losetup', ['--associated', image])).stdout
    return { scratch, image, place, devices }
  }

  test('mounts a file by a device that ends with the mount', async () => {
    const { scratch, image, place, devices } = await prepared()
    await using _ = scratch
    await mount({ type: 'ext4', source: image, options: ['loop'] }, place)
    expect((await mountOf(place)).type).toBe('ext4')
    expect(await devices()).toContain(image)
    await writeFile(join(place, 'file'), 'kept')
    await unmount(place)
    await expect.poll(devices).toBe('')
    await mount({ type: 'ext4', source: image, options: ['loop', 'ro'] }, place)
    expect(await readFile(join(place, 'file'), 'utf8')).toBe('kept')
    await expect(writeFile(join(place, 'file'), 'x')).rejects.toMatchObject({ code: 'EROFS' })
    await unmount(place)
    await expect.poll(devices).toBe('')
  })

  test('leaves no device where the mount fails', async () => {
    const { scratch, image, place, devices } = await prepared()
    await using _ = scratch
    const mounting = mount({ type: 'xfs', source: image, options: ['loop'] }, place)
    await expect(mounting).rejects.toMatchObject({
      code: expect.stringMatching(/invalid_argument|unimplemented/),
    })
    await expect.poll(devices).toBe('')
    const absent = mount({ type: 'ext4', source: join(place, 'absent'), options: ['loop'] }, place)
    await expect(absent).rejects.toMatchObject({ code: 'not_found' })
  })
})
