import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as content from './index.ts'

test('exports nothing but this', () => {
  expect(Object.keys(content).sort()).toEqual(['hasLocalPaths', 'openContentStore', 'readBlob'])
})

test('the README example works', async () => {
  await readmeExample(new URL('../README.md', import.meta.url))
})
