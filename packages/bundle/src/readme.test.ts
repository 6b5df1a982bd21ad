import { readmeExample } from '@nsbox/testing'
import { test } from 'vitest'

test('does what its README shows', () => readmeExample(new URL('../README.md', import.meta.url)))
