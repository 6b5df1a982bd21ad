import { isResourceExhausted } from '@nsbox/errors'
import { describe, expect, it } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

const taking = (budget: ByteBudget, bytes: number): unknown => {
  try {
    budget.take(bytes)
    return undefined
  } catch (error) {
    return error
  }
}

describe('a budget of bytes', () => {
  it('gives until the limit is reached, and says what was too much', () => {
    const budget = new ByteBudget('names of the archive', 1000)
    budget.take(500)
    expect(budget.has(372)).toBe(true)
    expect(budget.has(373)).toBe(false)
    const error = taking(budget, 373)
    expect(isResourceExhausted(error)).toBe(true)
    expect(error).toMatchObject({ context: 'names of the archive: more than 1000 bytes in all' })
    budget.take(372)
    expect(budget.taken).toBe(1000)
  })

  it('counts what has no bytes', () => {
    const budget = new ByteBudget('things', 64 * 10)
    for (let count = 0; count < 10; count++) budget.take(0)
    expect(isResourceExhausted(taking(budget, 0))).toBe(true)
  })

  it('gives again what was given back', () => {
    const budget = new ByteBudget('things', 100)
    budget.take(36)
    budget.giveBack(36)
    expect(taking(budget, 36)).toBe(undefined)
  })
})
