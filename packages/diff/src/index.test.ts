import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as diff from './index.ts'

test('the package exports exactly this', () => {
  expect(Object.keys(diff).sort()).toEqual([
    'GrowingFile',
    'LayerWorkers',
    'applyLayer',
    'layerTarget',
    'localComparer',
    'workerApplier',
    'writeLayer',
  ])
})

test('the example in the README works', () => readmeExample(new URL('../README.md', import.meta.url)))
