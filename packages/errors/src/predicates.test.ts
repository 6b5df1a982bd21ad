import { expect, it } from 'vitest'
import { type ErrorCode, sentinels } from './code.ts'
import { NsboxError } from './nsbox-error.ts'
import * as predicates from './predicates.ts'

const asked = Object.entries(predicates).map(([name, predicate]) => {
  const code = name.slice(2).replace(/\B[A-Z]/g, (letter) => `_${letter}`)
  return [name, predicate, code.toLowerCase() as ErrorCode] as const
})

it.each(asked)('%s is true for errors of its code only', (_, predicate, code) => {
  const codes = Object.keys(sentinels) as ErrorCode[]
  expect(codes.filter((each) => predicate(new NsboxError(each, 'x')))).toEqual([code])
  expect(predicate(new Error(sentinels[code]))).toBe(code === 'unknown')
})

it('each code has a predicate', () => {
  expect(asked.map(([, , code]) => code).sort()).toEqual(Object.keys(sentinels).sort())
})
