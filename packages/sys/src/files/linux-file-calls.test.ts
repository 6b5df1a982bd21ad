import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { constants as os } from 'node:os'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { linuxFileCalls } from './linux-file-calls.ts'

const { seekData, seekHole, copyFileRange } = linuxFileCalls
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
