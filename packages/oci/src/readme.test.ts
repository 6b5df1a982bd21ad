import { readmeExample } from '@nsbox/testing'
import { test } from 'vitest'

test('the example in the README does what it says', async () => {
  await readmeExample(new URL('../README.md', import.meta.url))
})

test('the example of specs does what it says', async () => {
  await readmeExample(new URL('../README.md', import.meta.url), { section: 'Specs of containers' })
})
