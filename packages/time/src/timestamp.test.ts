import { isInvalidArgument } from '@nsbox/errors'
import { describe, expect, test } from 'vitest'
import { Timestamp } from './timestamp.ts'

const invalid = (make: () => unknown) => {
  try {
    make()
  } catch (error) {
    return isInvalidArgument(error)
  }
  return false
}

const texts = [
  '0001-01-01T00:00:00Z',
  '1969-12-31T23:59:59.999999999Z',
  '1970-01-01T00:00:00Z',
  '1970-01-01T00:00:00.000000001Z',
  '2026-11-12T13:14:15.123456Z',
  '9999-12-31T23:59:59.999999999Z',
]

test.each(texts)('%s is read and written without loss', (text) => {
  const time = Timestamp.parse(text)
  expect(String(time)).toBe(text)
  expect(JSON.stringify(time)).toBe(`"${text}"`)
  expect(new Timestamp(time.epochSeconds, time.nanoseconds)).toEqual(time)
})

test('a zone is an offset, and digits that are missing are zeros', () => {
  expect(String(Timestamp.parse('2026-01-02T03:04:05.5+02:30'))).toBe('2026-01-02T00:34:05.5Z')
})

test('operators, compare and equals tell the order to the nanosecond', () => {
  const times = texts.map((text) => Timestamp.parse(text))
  expect([...times].reverse().sort(Timestamp.compare)).toEqual(times)
  for (let i = 1; i < times.length; i++) {
    expect(times[i - 1]! < times[i]!).toBe(true)
    expect(times[i]! > times[i - 1]!).toBe(true)
    expect(times[i]!.equals(times[i - 1]!)).toBe(false)
    expect(times[i]!.equals(Timestamp.parse(texts[i]!))).toBe(true)
  }
})

test.each([
  [-1, '1969-12-31T23:59:59.999Z'],
  [-62_135_596_799_999, '0001-01-01T00:00:00.001Z'],
  [1_700_000_000_123, '2023-11-14T22:13:20.123Z'],
  [1_700_000_000_123.457, '2023-11-14T22:13:20.123457Z'],
  [1_700_000_000_999 + 0.9996, '2023-11-14T22:13:21Z'],
])('%d milliseconds are %s', (milliseconds, text) => {
  const time = Timestamp.fromEpochMilliseconds(milliseconds)
  expect(String(time)).toBe(text)
  if (Number.isInteger(milliseconds)) expect(time.toDate().getTime()).toBe(milliseconds)
})

test('microseconds survive the way to an integer and back', () => {
  for (const microseconds of [-1, 0, 1, 999_999, 1_700_000_000_123_456])
    expect(Timestamp.fromEpochMicroseconds(microseconds).epochMicroseconds).toBe(microseconds)
  expect(Timestamp.fromEpochMicroseconds(1_700_000_000_123_456).epochNanoseconds).toBe(
    1_700_000_000_123_456_000n,
  )
})

test('a date is rounded down, so that the order stays', () => {
  expect(new Timestamp(-1, 999_999_999).toDate().getTime()).toBe(-1)
  expect(new Timestamp(1, 1_999_999).toDate().getTime()).toBe(1_001)
})

describe('refuses', () => {
  test.each<[string, () => unknown]>([
    ['a year before 1', () => new Timestamp(-62_135_596_801)],
    ['a year after 9999', () => new Timestamp(253_402_300_800)],
    ['too many nanoseconds', () => new Timestamp(0, 1_000_000_000)],
    ['negative nanoseconds', () => new Timestamp(0, -1)],
    ['a part of a nanosecond', () => new Timestamp(0, 0.5)],
    ['an invalid date', () => Timestamp.fromDate(new Date(Number.NaN))],
    ['a text without a zone', () => Timestamp.parse('2026-01-02T03:04:05')],
    ['a month too many', () => Timestamp.parse('2026-13-02T03:04:05Z')],
    ['ten decimals', () => Timestamp.parse('2026-01-02T03:04:05.0123456789Z')],
  ])('%s', (_, make) => {
    expect(invalid(make)).toBe(true)
  })
})
