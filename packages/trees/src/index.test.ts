import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as trees from './index.ts'
import * as walk from './walk/index.ts'

test('the package exports exactly this', () => {
  expect(Object.keys(trees).sort()).toEqual(['copyTreeInThread', 'hasTreeThread', 'removeTree', 'treeUsage'])
  expect(Object.keys(walk).sort()).toEqual([
    'DirectoryReader',
    'TreeCursor',
    'checkResult',
    'copyAttributes',
    'failure',
    'openDirectory',
    'removeEntry',
    'walkNow',
  ])
})

test('the example in the README works', () => readmeExample(new URL('../README.md', import.meta.url)))
