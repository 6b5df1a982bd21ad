import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import * as sqlite from './index.ts'

test('exports nothing but this', () => {
  expect(Object.keys(sqlite)).toEqual(['openDatabase'])
})

test('the README example works', async () => {
  await readmeExample(new URL('../README.md', import.meta.url))
})
