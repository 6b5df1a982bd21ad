import { closeSync, readSync, writeSync } from 'node:fs'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { makeEventfd } from './make-eventfd.ts'
import { isReady } from './poll.ts'

describeWith({ linux: true }, 'an event counter', () => {
  test('is readable once something has been added, and then tells how much', () => {
    const fd = makeEventfd()
    try {
      expect(isReady(fd, 'read')).toBe(false)
      for (const more of [1n, 2n]) writeSync(fd, new BigUint64Array([more]))
      expect(isReady(fd, 'read')).toBe(true)
      const count = new BigUint64Array(1)
      readSync(fd, count)
      expect(count[0]).toBe(3n)
      expect(() => readSync(fd, count)).toThrow('EAGAIN')
    } finally {
      closeSync(fd)
    }
  })
})
