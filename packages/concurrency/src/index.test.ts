import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as concurrency from './index.ts'

test('the package exports exactly this', () => {
  expect(Object.keys(concurrency).sort()).toEqual([
    'Coalescer',
    'KeyedMutex',
    'Mutex',
    'Semaphore',
    'SingleFlight',
    'abortable',
    'deferred',
    'mapConcurrently',
    'onAbort',
    'runYielding',
    'shouldYield',
    'timeSlice',
    'yieldBetween',
    'yieldToEventLoop',
  ])
})

test('the example in the README works', () => readmeExample(new URL('../README.md', import.meta.url)))
