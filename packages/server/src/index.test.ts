import { expect, test } from 'vitest'
import * as server from './index.ts'

test('the package exports exactly this', () => {
  expect(Object.keys(server).sort()).toEqual(['readConfiguration', 'startServer'])
})
