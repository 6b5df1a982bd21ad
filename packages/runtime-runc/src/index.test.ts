import { expect, test } from 'vitest'
import * as runtime from './index.ts'

test('exports nothing but this', () => {
  expect(Object.keys(runtime).sort()).toEqual(['openRuncRuntime', 'openSupervisor'])
})
