import { readmeExample } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import * as runtime from './index.ts'

test('exports nothing but this', () => {
  expect(Object.keys(runtime)).toEqual(['openRuncRuntime'])
})

describeWith({ linux: true, root: true, programs: ['runc'] }, 'README', () => {
  test('has an example that works', () => readmeExample(new URL('../README.md', import.meta.url)))
})
