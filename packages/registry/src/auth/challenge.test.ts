import { describe, expect, it } from 'vitest'
import { parseChallenges } from './challenge.ts'

const parsed = (...values: string[]) =>
  parseChallenges(values).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])

describe('challenges', () => {
  it('are read with quoted and plain values, in any case', () => {
    expect(
      parsed('BEARER Realm="https://auth.example/token",service=registry, scope="repository:a/b:pull,push"'),
    ).toEqual([
      [
        'bearer',
        { realm: 'https://auth.example/token', service: 'registry', scope: 'repository:a/b:pull,push' },
      ],
    ])
  })

  it('are read when several stand in one value, with or without parameters', () => {
    expect(parsed('Negotiate, Basic realm="a \\"b\\"", Bearer realm = "x"', 'Digest')).toEqual([
      ['negotiate', {}],
      ['basic', { realm: 'a "b"' }],
      ['bearer', { realm: 'x' }],
      ['digest', {}],
    ])
  })

  it('are read past a token without a name', () => {
    expect(parsed('Negotiate YWJj==, Basic realm="x"')).toEqual([
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ])
  })

  it('keep the first of a parameter that is there twice', () => {
    expect(parsed('Bearer realm="first", realm="second"')).toEqual([['bearer', { realm: 'first' }]])
  })

  it('end where they cannot be read, and number 16 at most', () => {
    expect(parsed('Basic realm="unfinished', '"', '', ', ,')).toEqual([['basic', {}]])
    expect(parsed(Array(100).fill('Basic').join(', '))).toHaveLength(16)
  })

  it('take processor time in proportion to their length', () => {
    const before = process.cpuUsage()
    parseChallenges([
      `Basic ${'a='.repeat(50_000)}`,
      `Basic ${'a '.repeat(50_000)}`,
      `B ${'"\\'.repeat(50_000)}`,
    ])
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000)
  })
})
