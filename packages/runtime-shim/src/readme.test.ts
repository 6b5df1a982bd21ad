import { readmeExample } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { test } from 'vitest'

describeWith({ linux: true, root: true }, 'README', () => {
  test('has an example that works', () => readmeExample(new URL('../README.md', import.meta.url)))
})
