import { expect, test } from 'vitest'
import * as archive from './index.ts'

test('the subpath exports exactly this', () => {
  expect(Object.keys(archive).sort()).toEqual([
    'compressorFor',
    'inBlocks',
    'padding',
    'readTar',
    'sniffCompression',
    'tarHeader',
  ])
})
