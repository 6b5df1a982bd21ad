import { readmeExample } from '@nsbox/testing'
import { test } from 'vitest'

test('the example in the README works', () => readmeExample(new URL('../README.md', import.meta.url)))
