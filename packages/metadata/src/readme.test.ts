import { readmeExample } from '@nsbox/testing'
import { it } from 'vitest'

it('does what its README shows', () => readmeExample(new URL('../README.md', import.meta.url)))
