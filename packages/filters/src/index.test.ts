import { expect, test } from 'vitest'
import * as filters from './index.ts'

test('exports these values', () => {
  expect(Object.keys(filters)).toEqual(['labelField', 'parseFilter', 'parseFilters', 'parseListFilters'])
})
