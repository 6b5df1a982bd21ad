import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as metadata from './index.ts'

test('exports nothing but this', () => {
  expect(Object.keys(metadata)).toEqual(['openMetadata'])
})

test('the README example works', async () => {
  await readmeExample(new URL('../README.md', import.meta.url))
})
