import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { sealedCopy } from './sealed-copy.ts'

describeWith({ linux: true }, 'a sealed copy', () => {
  test('holds what the file held, can be executed, and cannot be written to', async () => {
    const fd = sealedCopy(process.execPath, 'a copy')
    const path = `/proc/${process.pid}/fd/${fd}`
    expect(readFileSync(path).equals(readFileSync(process.execPath))).toBe(true)
    const { stdout, status } = spawnSync(path, ['-p', '1 + 1'], { encoding: 'utf8' })
    expect([stdout.trim(), status]).toEqual(['2', 0])
    const writable = openSync(path, 'r+')
    expect(() => writeSync(writable, 'x', 0)).toThrow('EPERM')
    closeSync(writable)
    closeSync(fd)
  })

  test('is that of the moment in which it was made', async () => {
    await using directory = await tempDir('nsbox-sealed')
    const path = join(directory.path, 'file')
    await writeFile(path, 'before')
    const fd = sealedCopy(path, 'x')
    await writeFile(path, 'after')
    expect(readFileSync(fd, 'utf8')).toBe('before')
    closeSync(fd)
    expect(() => sealedCopy(join(directory.path, 'missing'), 'x')).toThrow('ENOENT')
  })
})
