import { readmeExample } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import * as snapshots from './index.ts'

test('exports nothing but this', () => {
  expect(Object.keys(snapshots).sort()).toEqual([
    'hasLayerDirectories',
    'openNativeSnapshotter',
    'openOverlaySnapshotter',
    'resolveImpliedDirectories',
  ])
})

describeWith({ root: true, linux: true }, 'README', () => {
  test('has an example that works', () => readmeExample(new URL('../README.md', import.meta.url)))
})
