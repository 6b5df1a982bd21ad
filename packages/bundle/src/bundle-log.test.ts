import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { maxLines, readBundleLog } from './bundle-log.ts'

describeWith({ linux: true }, 'the log of bundles', () => {
  test('is passed on in whole lines, and what is too much is counted', async () => {
    await using directory = await tempDir('nsbox-bundle-log')
    const told: string[] = []
    {
      const path = join(directory.path, 'log')
      using _log = readBundleLog(path, (line) => void told.push(line))
      await writeFile(path, 'level=warning msg=')
      await writeFile(path, `parts\n\n${'x'.repeat(9000)}\n`)
      await expect.poll(() => told).toEqual(['level=warning msg=parts', 'x'.repeat(4096)])
      // As many as the pipe takes at once, so that all are read in one interval.
      await writeFile(path, 'y\n'.repeat(2 * maxLines))
      await expect.poll(() => told.length).toBeGreaterThanOrEqual(maxLines)
    }
    // The interval may have begun with the first lines, or anew.
    const left = Number(/^level=warning msg="(\d+) lines left out"$/.exec(told.at(-1)!)?.[1])
    const passed = told.filter((line) => line === 'y').length
    expect(passed).toBeLessThanOrEqual(maxLines)
    expect(passed + left).toBe(2 * maxLines)
  })
})
