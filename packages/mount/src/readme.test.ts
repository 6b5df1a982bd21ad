import { needs, readmeExample } from '@nsbox/testing'
import { test } from 'vitest'

test.skipIf(needs({ root: true, linux: true }))('the example in the README works', () =>
  readmeExample(new URL('../README.md', import.meta.url)),
)
