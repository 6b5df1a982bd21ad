import { expect, test } from 'vitest'
import { servedMethods } from '../testing/served-methods.ts'
import { pageRules } from './page-rules.ts'

test('H04 every method of every service that is served has a rule for the page', () => {
  const methods = [...servedMethods().keys()]
  expect(methods.filter((method) => !pageRules.has(method))).toEqual([])
  expect([...pageRules.keys()].filter((method) => !methods.includes(method))).toEqual([])
})
