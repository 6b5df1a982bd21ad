import { mkdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { removeTree } from './remove-tree.ts'
import { fillDirectory } from './testing/fill-directory.ts'
import { treeThread } from './tree-thread.ts'
import { treeUsage } from './tree-usage.ts'

describeWith({ root: true, linux: true }, 'work on trees', () => {
  test('E06 starts a thread for a big tree, and none for a small one', async () => {
    await using dir = await scratchMount()
    const tree = join(dir.path, 'tree')
    fillDirectory(tree, 30)
    await treeUsage(tree)
    await removeTree(tree)
    expect(treeThread.isThere).toBe(false)
    fillDirectory(tree, 1000)
    expect(await treeUsage(tree)).toMatchObject({ inodes: 2 })
    await removeTree(tree)
    expect(treeThread.isThere).toBe(true)
    expect(await readdir(dir.path)).toEqual([])
  })

  test('E06 leaves the event loop to others while 50,000 names are removed', async () => {
    await using dir = await scratchMount()
    fillDirectory(join(dir.path, 'tree'), 50_000)
    const delay = monitorEventLoopDelay({ resolution: 5 })
    let turns = 0
    const ticking = setInterval(() => turns++, 1)
    delay.enable()
    await removeTree(join(dir.path, 'tree'))
    delay.disable()
    clearInterval(ticking)
    expect(delay.max / 1e6).toBeLessThan(1000)
    expect(turns).toBeGreaterThan(20)
    expect(await readdir(dir.path)).toEqual([])
  })

  test('is done once, whoever else does it, too', async () => {
    await using dir = await scratchMount()
    for (const files of [40, 3000]) {
      fillDirectory(join(dir.path, 'tree'), files)
      mkdirSync(join(dir.path, 'tree/a/b'), { recursive: true })
      await Promise.all(Array.from({ length: 4 }, () => removeTree(join(dir.path, 'tree'))))
      expect(await readdir(dir.path)).toEqual([])
    }
  })

  test('ends when it is told to, and can be gone on with', async () => {
    await using dir = await scratchMount()
    const tree = join(dir.path, 'tree')
    fillDirectory(tree, 20_000)
    const before = (await readdir('/proc/self/fd')).length
    const stop = new AbortController()
    const removed = removeTree(tree, { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 20)
    await expect(removed).rejects.toThrow('enough')
    const left = (await readdir(tree)).length
    expect(left).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await readdir(tree)).toHaveLength(left)
    await removeTree(tree)
    expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before + 12)
    await expect(removeTree(dir.path, { signal: AbortSignal.abort() })).rejects.toThrow()
  })
})
