import { isInvalidArgument } from '@nsbox/errors'
import { describe, expect, it } from 'vitest'
import { fromTimestamp, toTimestamp } from './timestamp.ts'

const thrown = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('did not throw')
}

describe('toTimestamp and fromTimestamp', () => {
  it.each([
    '0001-01-01T00:00:00.001Z',
    '1969-12-31T23:59:59.999Z',
    '1970-01-01T00:00:00.000Z',
    '2026-11-24T17:04:05.678Z',
    '9999-12-31T23:59:59.999Z',
  ])('keep %s', (text) => {
    expect(fromTimestamp(toTimestamp(new Date(text), 'at'), 'at')?.toISOString()).toBe(text)
  })

  it('keep undefined', () => {
    expect(toTimestamp(undefined, 'at')).toBeUndefined()
    expect(fromTimestamp(undefined, 'at')).toBeUndefined()
  })

  it('read the zero time of Go as undefined', () => {
    expect(fromTimestamp({ seconds: -62_135_596_800n, nanos: 0 }, 'at')).toBeUndefined()
  })

  it('write nanoseconds that count forward before 1970', () => {
    expect(toTimestamp(new Date(-1), 'at')).toMatchObject({ seconds: -1n, nanos: 999_000_000 })
  })

  it('D22 keep the order of timestamps that differ by less than a millisecond', () => {
    for (const seconds of [-1n, 0n, 1_800_000_000n]) {
      const created = fromTimestamp({ seconds, nanos: 1_999_999 }, 'createdAt')!
      const updated = fromTimestamp({ seconds, nanos: 2_000_000 }, 'updatedAt')!
      expect(updated.getTime() - created.getTime()).toBe(1)
      const same = fromTimestamp({ seconds, nanos: 1_000_000 }, 'createdAt')!
      expect(same.getTime()).toBe(created.getTime())
    }
  })

  it.each([
    new Date(Number.NaN),
    new Date('+010000-01-01T00:00:00.000Z'),
    new Date('0000-12-31T23:59:59.999Z'),
  ])('refuse to write %s, naming the field', (date) => {
    const error = thrown(() => toTimestamp(date, 'info.createdAt'))
    expect(isInvalidArgument(error)).toBe(true)
    expect(String(error)).toContain('info.createdAt')
  })

  it.each([
    { seconds: 253_402_300_800n, nanos: 0 },
    { seconds: -62_135_596_801n, nanos: 0 },
    { seconds: 2n ** 63n - 1n, nanos: 0 },
    { seconds: 0n, nanos: -1 },
    { seconds: 0n, nanos: 1_000_000_000 },
  ])('refuse to read %o, naming the field', (timestamp) => {
    const error = thrown(() => fromTimestamp(timestamp, 'info.createdAt'))
    expect(isInvalidArgument(error)).toBe(true)
    expect(String(error)).toContain('info.createdAt')
  })
})
