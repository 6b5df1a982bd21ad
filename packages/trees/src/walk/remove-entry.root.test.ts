import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mount, unmount } from '@nsbox/mount'
import { runOrThrow, scratchMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { makeDeepTree } from '../testing/deep-tree.ts'
import { drive } from '../testing/drive.ts'
import { fillDirectory } from '../testing/fill-directory.ts'
import { removeAt } from './remove-at.ts'
import { walkNow } from './walk.ts'

const openFiles = () => readdirSync('/proc/self/fd').length

describeWith({ root: true, linux: true }, 'the removal of a tree', () => {
  test('E06 holds 32 KiB of names at once of a directory that has 200,000', {
    timeout: 180_000,
  }, async () => {
    await using dir = await scratchMount()
    const tree = join(dir.path, 'tree')
    fillDirectory(tree, 200_000)
    let most = 0
    let calls = 0
    drive(removeAt(tree), (_, result) => {
      most = Math.max(most, result)
      calls += 1
    })
    expect(existsSync(tree)).toBe(false)
    expect(most).toBeGreaterThan(30_000)
    expect(most).toBeLessThanOrEqual(32 * 1024)
    expect(calls).toBeGreaterThan(200_000)
    expect(calls).toBeLessThan(202_000)
  })

  test('has few descriptors open, however deep the tree is', async () => {
    await using dir = await tempDir()
    mkdirSync(join(dir.path, 'tree'))
    makeDeepTree(join(dir.path, 'tree'), 300, 'd'.repeat(100))
    const before = openFiles()
    let most = 0
    drive(removeAt(join(dir.path, 'tree')), (count) => {
      if (count % 10 === 0) most = Math.max(most, openFiles())
    })
    expect(most - before).toBeLessThan(40)
    expect(openFiles()).toBe(before)
    expect(readdirSync(dir.path)).toEqual([])
  })

  test('E01 touches nothing outside, whichever of its steps a directory is moved out of the tree at', async () => {
    // Deeper than descriptors are kept, so that directories above are found again by their identity.
    const levels = 45
    for (let step = 1; step < 240; step += 23) {
      await using dir = await tempDir()
      const path = (name: string) => join(dir.path, name)
      for (const name of ['tree', 'outside', 'outside/x']) mkdirSync(path(name))
      for (const name of ['file', 'x/file', 'precious']) writeFileSync(path(`outside/${name}`), '')
      makeDeepTree(path('tree'), levels, 'x')
      const middle = `tree/${'x/'.repeat(20)}x`
      drive(removeAt(path('tree')), (count) => {
        if (count !== step || !existsSync(path(middle))) return
        renameSync(path(middle), path('outside/moved'))
        symlinkSync(path('outside'), path(middle))
      })
      expect(existsSync(path('tree')), `step ${step}`).toBe(false)
      const left = readdirSync(path('outside')).filter((name) => name !== 'moved')
      expect(left.sort(), `step ${step}`).toEqual(['file', 'precious', 'x'])
      expect(readdirSync(path('outside/x')), `step ${step}`).toEqual(['file'])
    }
  })

  test('E01 goes into no link that takes the place of a directory, at none of its steps', async () => {
    let links = 0
    for (let step = 1; step < 40; step++) {
      await using dir = await tempDir()
      const path = (name: string) => join(dir.path, name)
      for (const name of ['tree', 'tree/a', 'tree/b', 'outside']) mkdirSync(path(name))
      for (const name of ['tree/a/1', 'tree/b/1', 'outside/1', 'outside/2']) writeFileSync(path(name), '')
      drive(removeAt(path('tree')), (count) => {
        if (count !== step) return
        for (const name of ['tree/a', 'tree/b']) {
          if (!existsSync(path(name))) continue
          renameSync(path(name), path(`${name}-aside`))
          symlinkSync(path('outside'), path(name))
          links += 1
        }
      })
      expect(readdirSync(dir.path)).toEqual(['outside'])
      expect(readdirSync(path('outside'))).toEqual(['1', '2'])
    }
    expect(links).toBeGreaterThan(10)
  })

  test('E01 ends with an error where files are made as fast as they are removed', async () => {
    await using dir = await tempDir()
    const path = (name: string) => join(dir.path, name)
    mkdirSync(path('tree/a'), { recursive: true })
    writeFileSync(path('tree/a/file'), '')
    let made = 0
    const refill = () => {
      if (!existsSync(path('tree/a')) || existsSync(path('tree/a/file'))) return
      writeFileSync(path('tree/a/file'), '')
      made += 1
    }
    const before = openFiles()
    expect(() => drive(removeAt(path('tree')), refill)).toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    )
    expect(openFiles()).toBe(before)
    expect(made).toBeGreaterThan(100)
    expect(made).toBeLessThan(10_000)
    walkNow(removeAt(path('tree')))
    expect(readdirSync(dir.path)).toEqual([])
  })

  test('D10 stops at what is mounted meanwhile, a directory or a file, and says where', async () => {
    await using scratch = await scratchMount()
    const path = (name: string) => join(scratch.path, name)
    for (const name of ['tree', 'tree/a', 'tree/a/b', 'outside']) mkdirSync(path(name))
    for (const name of ['tree/a/file', 'tree/a/b/file', 'outside/file']) writeFileSync(path(name), '')
    for (const place of ['tree/a/b', 'tree/a/file', 'tree']) {
      const source = place.endsWith('file') ? path('outside/file') : path('outside')
      await mount({ type: 'bind', source, options: ['bind'] }, path(place))
      expect(() => walkNow(removeAt(path('tree')))).toThrow(
        expect.objectContaining({
          code: 'failed_precondition',
          details: expect.objectContaining({ mountPoint: path(place) }),
        }),
      )
      await unmount(path(place))
      for (const name of ['tree/a', 'tree/a/b']) mkdirSync(path(name), { recursive: true })
      for (const name of ['tree/a/file', 'tree/a/b/file']) writeFileSync(path(name), '')
    }
    expect(readdirSync(path('outside'))).toEqual(['file'])
    walkNow(removeAt(path('tree')))
    expect(readdirSync(scratch.path)).toEqual(['outside'])
  })
})

describeWith({ root: true, linux: true, programs: ['chattr'] }, 'what cannot be removed', () => {
  test.each(['a/file', 'a'])('an immutable %s is told by its code and its place', async (name) => {
    await using dir = await tempDir()
    mkdirSync(join(dir.path, 'tree/a'), { recursive: true })
    writeFileSync(join(dir.path, 'tree/a/file'), '')
    await runOrThrow('chattr', ['+i', join(dir.path, 'tree', name)])
    try {
      expect(() => walkNow(removeAt(join(dir.path, 'tree')))).toThrow(
        expect.objectContaining({
          code: 'permission_denied',
          context: expect.stringContaining(`tree/${name}`),
        }),
      )
    } finally {
      await runOrThrow('chattr', ['-i', join(dir.path, 'tree', name)])
    }
  })
})
