import { closeSync, readdirSync, readlinkSync, readSync, writeSync } from 'node:fs'
import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { pipe } from './pipe.ts'

describeWith({ linux: true }, 'a pipe', () => {
  test('takes as much as it was asked to hold before anybody reads', () => {
    const { read, write } = pipe(256 * 1024)
    try {
      expect(writeSync(write, Buffer.alloc(256 * 1024, 'x'))).toBe(256 * 1024)
      expect(readSync(read, Buffer.alloc(512 * 1024))).toBe(256 * 1024)
    } finally {
      closeSync(read)
      closeSync(write)
    }
  })

  test('that cannot be had leaves no descriptor open', () => {
    const before = readdirSync('/proc/self/fd').length
    expect(() => pipe(-1)).toThrow()
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })

  test('is inherited by no child', async () => {
    const { read, write } = pipe(65536)
    try {
      const name = readlinkSync(`/proc/self/fd/${read}`)
      const { stdout } = await run('ls', ['-l', '/proc/self/fd'])
      expect(name).toMatch(/^pipe:/)
      expect(stdout).not.toContain(name)
    } finally {
      closeSync(read)
      closeSync(write)
    }
  })
})
