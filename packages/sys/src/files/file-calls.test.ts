import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { constants as os } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { RESOLVE } from '../mount-flags.ts'
import { fileCalls } from './file-calls.ts'

const { seekData, seekHole, copyFileRange } = fileCalls
const mega = 1024 * 1024

describeWith({ linux: true }, 'data and holes of a file', () => {
  test('are found, and what lies between two offsets is copied to another', async () => {
    await using dir = await tempDir()
    const flags = constants.O_RDWR | constants.O_CREAT
    const fd = openSync(join(dir.path, 'from'), flags)
    const copy = openSync(join(dir.path, 'to'), flags)
    try {
      // Beyond 4 GiB, where an offset no longer fits into 32 bits.
      const far = 5000 * mega
      writeSync(fd, 'data', far)
      ftruncateSync(fd, far + mega)
      expect(seekData(fd, 0)).toBe(far)
      const hole = seekHole(fd, far)
      expect(hole).toBeGreaterThanOrEqual(far + 4)
      expect(hole).toBeLessThan(far + mega)
      expect(seekData(fd, hole)).toBe(-os.errno.ENXIO)
      expect(seekHole(fd, hole)).toBe(hole)
      expect(copyFileRange(fd, far + 1, copy, 2, 3)).toBe(3)
      expect(copyFileRange(fd, far + mega, copy, 0, 3)).toBe(0)
      expect(readFileSync(join(dir.path, 'to'))).toEqual(Buffer.from('\0\0ata'))
      expect(copyFileRange(-1, 0, copy, 0, 1)).toBe(-os.errno.EBADF)
    } finally {
      closeSync(fd)
      closeSync(copy)
    }
  })
})

describeWith({ linux: true }, 'times of a file', () => {
  test.each([
    [0, 0],
    [-1, 999_999_999],
    [-(2 ** 30), 1],
    [2 ** 31, 123_456_789],
    [2 ** 32 - 1, 0],
    [2 ** 33 + 5, 7],
  ])('%d s and %d ns are set, by descriptor and by name', async (seconds, nanoseconds) => {
    await using dir = await tempDir()
    const path = join(dir.path, 'file')
    const expected = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
    const fd = openSync(path, 'w')
    const directory = openSync(dir.path, 'r')
    try {
      for (const set of [
        () => fileCalls.futimens(fd, seconds, nanoseconds),
        () => fileCalls.utimensat(directory, 'file', seconds, nanoseconds),
      ]) {
        fileCalls.futimens(fd, 1000, 0)
        expect(set()).toBe(0)
        expect(fstatSync(fd, { bigint: true })).toMatchObject({ mtimeNs: expected, atimeNs: expected })
      }
    } finally {
      closeSync(fd)
      closeSync(directory)
    }
  })
})

describeWith({ linux: true }, 'the umask of a thread', () => {
  test('is its own', async () => {
    await using dir = await tempDir()
    const umask = process.umask(0o077)
    try {
      const calls = new URL('file-calls.ts', import.meta.url).href
      const script = `
        import('${new URL('./esm/api/index.mjs', import.meta.resolve('tsx')).href}')
          .then(({ register }) => (register(), import('${calls}')))
          .then(({ fileCalls }) => {
            const returned = String(fileCalls.umaskOfThread(0o002))
            require('node:fs').writeFileSync('${join(dir.path, 'thread')}', returned, { mode: 0o666 })
          })`
      const worker = new Worker(script, { eval: true, execArgv: ['--conditions=@nsbox/source'] })
      await once(worker, 'exit')
      writeFileSync(join(dir.path, 'main'), '', { mode: 0o666 })
    } finally {
      process.umask(umask)
    }
    expect(readFileSync(join(dir.path, 'thread'), 'utf8')).toBe('0')
    expect(statSync(join(dir.path, 'thread')).mode & 0o777).toBe(0o664)
    expect(statSync(join(dir.path, 'main')).mode & 0o777).toBe(0o600)
  })
})

describeWith({ linux: true, programs: ['perl'] }, 'a name with dots within a scope', () => {
  test('E01 is opened, though somebody does nothing but rename', async () => {
    await using dir = await tempDir()
    mkdirSync(join(dir.path, 'a/b'), { recursive: true })
    writeFileSync(join(dir.path, '1'), '')
    const renaming = spawn('perl', ['-e', 'while (1) { rename("1", "2"); rename("2", "1") }'], {
      cwd: dir.path,
    })
    const root = openSync(dir.path, 'r')
    try {
      await once(renaming, 'spawn')
      for (let n = 0; n < 20_000; n++) {
        const fd = fileCalls.openat2(root, 'a/b/../../a', constants.O_DIRECTORY, 0, RESOLVE.IN_ROOT)
        expect(fd).toBeGreaterThan(0)
        closeSync(fd)
      }
    } finally {
      closeSync(root)
      renaming.kill('SIGKILL')
      await once(renaming, 'exit')
    }
  })
})
