import { readmeExample } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import * as supervisor from './index.ts'
import * as programs from './programs/index.ts'

test('exports nothing but this', () => {
  expect(Object.keys(supervisor).sort()).toEqual(['openSupervisor', 'outputTarget'])
  expect(Object.keys(programs).sort()).toEqual(['findProgram', 'isElf', 'signalName', 'startChild'])
})

describeWith({ linux: true }, 'README', () => {
  test('has an example that works', () => readmeExample(new URL('../README.md', import.meta.url)))
})
