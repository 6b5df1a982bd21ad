import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { signalNumber } from './signal-number.ts'

test.each([
  ['SIGTERM', 15],
  ['term', 15],
  ['9', 9],
  [64, 64],
  ['RTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['rtmax-1', 63],
])('%s is signal %i', (signal, number) => {
  expect(signalNumber(signal)).toBe(number)
})

test.each(['', '0', '65', '-1', '1.5', 'BAD', 'RTMIN+31', 'RTMAX+1', 'SIGSIGTERM', 'constructor'])(
  '%j is no signal',
  (signal) => {
    let thrown: unknown
    try {
      signalNumber(signal)
    } catch (error) {
      thrown = error
    }
    expect(errorCode(thrown)).toBe('invalid_argument')
  },
)
