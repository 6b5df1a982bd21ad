import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isResourceExhausted } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { runOrThrow, seededBytes, type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { openContentStore } from './open-content-store.ts'

/** A file system of its own that is small. */
async function smallDisk(options: string): Promise<TempDir> {
  const dir = await tempDir('nsbox-content')
  await runOrThrow('mount', ['-t', 'tmpfs', '-o', options, 'nsbox-test', dir.path])
  return {
    path: dir.path,
    async [Symbol.asyncDispose]() {
      await runOrThrow('umount', [dir.path])
      await dir[Symbol.asyncDispose]()
    },
  }
}

const blob = Buffer.concat([...seededBytes('disk full', 3 * 1024 * 1024)])

describeWith({ root: true, linux: true, programs: ['mount', 'umount'] }, 'D21 a full disk', () => {
  test('fails a write, keeps what was written before, and lets the ingest go on when there is room', async () => {
    await using disk = await smallDisk('size=4m')
    await using store = await openContentStore({ root: join(disk.path, 'content') })
    const ballast = join(disk.path, 'ballast')
    await writeFile(ballast, Buffer.alloc(2 * 1024 * 1024))
    const piece = 300 * 1024
    const fill = async () => {
      await using writer = await store.writer({ ref: 'layer', total: blob.length })
      for (;;) {
        const { offset } = writer.status()
        const refused = await writer.write(blob.subarray(offset, offset + piece)).catch((error) => error)
        if (refused === undefined) continue
        expect(isResourceExhausted(refused)).toBe(true)
        expect(writer.status().offset).toBe(offset)
        return offset
      }
    }
    const offset = await fill()
    expect(offset).toBeGreaterThan(piece)
    expect(await store.status('layer')).toMatchObject({ offset, total: blob.length })
    expect(await fill()).toBe(offset)

    await rm(ballast)
    await using writer = await store.writer({ ref: 'layer', expected: digestOf(blob) })
    expect(writer.status().offset).toBe(offset)
    await writer.write(blob.subarray(offset))
    expect(await writer.commit()).toMatchObject({ digest: digestOf(blob), size: blob.length })
  })

  test('lets the same writer go on when there is room', async () => {
    await using disk = await smallDisk('size=4m')
    await using store = await openContentStore({ root: join(disk.path, 'content') })
    const ballast = join(disk.path, 'ballast')
    await writeFile(ballast, Buffer.alloc(2 * 1024 * 1024))
    await using writer = await store.writer({ ref: 'layer' })
    await writer.write(blob.subarray(0, 1000))
    expect(isResourceExhausted(await writer.write(blob.subarray(1000)).catch((error) => error))).toBe(true)
    await rm(ballast)
    await writer.write(blob.subarray(1000))
    expect((await writer.commit()).digest).toBe(digestOf(blob))
  })

  test('without inodes opens no ingest and publishes no labels, and leaves no trace of them', async () => {
    await using disk = await smallDisk('size=4m,nr_inodes=30')
    const root = join(disk.path, 'content')
    await using store = await openContentStore({ root })
    await using writer = await store.writer({ ref: 'first' })
    await writer.write(blob.subarray(0, 1000))
    let taken = 0
    const take = () => writeFile(join(disk.path, `taken-${taken}`), '')
    while (
      await take().then(
        () => true,
        () => false,
      )
    )
      taken++

    for (let spare = 0; spare < 3; spare++) {
      const refused = await store.writer({ ref: 'second', total: 5 }).catch((error) => error)
      expect(isResourceExhausted(refused)).toBe(true)
      expect(await readdir(join(root, 'ingest'))).toHaveLength(1)
      await rm(join(disk.path, `taken-${--taken}`))
    }
    while (
      await take().then(
        () => true,
        () => false,
      )
    )
      taken++
    const labelled = await writer.commit({ labels: { a: '1' } }).catch((error) => error)
    expect(isResourceExhausted(labelled)).toBe(true)
    expect(await store.status('first')).toMatchObject({ offset: 1000 })
    expect(await readdir(join(root, 'blobs', 'sha256'))).toEqual([])
    expect(await readdir(join(root, 'labels', 'sha256'))).toEqual([])

    await rm(join(disk.path, 'taken-0'))
    await using again = await store.writer({ ref: 'first' })
    expect(await again.commit({ labels: { a: '1' } })).toMatchObject({ size: 1000 })
  })
})
