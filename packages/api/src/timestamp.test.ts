import { isInvalidArgument } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
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
    '0001-01-01T00:00:00.000000001Z',
    '1969-12-31T23:59:59.999999999Z',
    '1970-01-01T00:00:00Z',
    '2026-11-24T17:04:05.678123456Z',
    '9999-12-31T23:59:59.999999999Z',
  ])('keep %s', (text) => {
    expect(fromTimestamp(toTimestamp(Timestamp.parse(text)), 'at')?.toString()).toBe(text)
  })

  it('keep undefined', () => {
    expect(toTimestamp(undefined)).toBeUndefined()
    expect(fromTimestamp(undefined, 'at')).toBeUndefined()
  })

  it('read the zero time of Go as undefined', () => {
    expect(fromTimestamp({ seconds: -62_135_596_800n, nanos: 0 }, 'at')).toBeUndefined()
  })

  it('write nanoseconds that count forward before 1970', () => {
    expect(toTimestamp(Timestamp.fromEpochMilliseconds(-1))).toMatchObject({
      seconds: -1n,
      nanos: 999_000_000,
    })
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
