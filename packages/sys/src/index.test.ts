import { expect, test } from 'vitest'
import * as sys from './index.ts'

test('the package exports exactly this', () => {
  expect(Object.keys(sys).sort()).toEqual(['tryFlock'])
})
