import { needs, readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as mount from './index.ts'

test('the package exports exactly this', () => {
  expect(Object.keys(mount).sort()).toEqual([
    'PlaceFinder',
    'isAtOrBelow',
    'isMountPoint',
    'isUncovered',
    'listMounts',
    'makePassable',
    'mount',
    'mountAll',
    'mountOf',
    'mountReach',
    'overlayLayers',
    'overlayMount',
    'parseMountOptions',
    'readMounts',
    'readTreeMount',
    'resolvedForMaking',
    'unmount',
    'withTempMount',
    'writtenTree',
  ])
})

test.skipIf(needs({ root: true, linux: true }))('the example in the README works', () =>
  readmeExample(new URL('../README.md', import.meta.url)),
)
