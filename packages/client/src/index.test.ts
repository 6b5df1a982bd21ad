import { expect, test } from 'vitest'
import * as client from './index.ts'

test('exports what its users need and no more', () => {
  expect(Object.keys(client).sort()).toEqual([
    'addressFromEnvironment',
    'connect',
    'defaultAddress',
    'defaultSnapshotter',
    'readCheckpoint',
    'retryWhileAway',
    'signalNumber',
  ])
})
