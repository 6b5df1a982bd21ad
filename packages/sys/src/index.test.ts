import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as sys from './index.ts'

test('the package exports exactly this', () => {
  expect(Object.keys(sys).sort()).toEqual([
    'AT_FDCWD',
    'MOUNT_ATTR',
    'MS',
    'O_PATH',
    'RESOLVE',
    'UMOUNT',
    'fsconfigCreate',
    'fsconfigFlag',
    'fsconfigString',
    'fsmount',
    'fsopen',
    'mount',
    'mountSetattr',
    'moveMount',
    'openTreeClone',
    'openat2',
    'pipe',
    'syncfs',
    'tryFlock',
    'umount2',
  ])
})

test('the example in the README works', () => readmeExample(new URL('../README.md', import.meta.url)))
