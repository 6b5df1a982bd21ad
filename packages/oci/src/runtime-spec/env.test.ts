import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertEnv, mergeEnv } from './env.ts'

describe('mergeEnv', () => {
  it('sets in place, appends and removes', () => {
    expect(mergeEnv(['A=1', 'B=2', 'C=3'], ['B=x=y', 'D=', 'A'])).toEqual(['B=x=y', 'C=3', 'D='])
  })

  it.each(['', '=', '=x', 'A\n=1', 'A=\0', 'A\0', '\x1b[0mA=1'])('B16 refuses %j', (variable) => {
    expect(() => mergeEnv([], [variable])).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })

  it('takes line ends in a value', () => {
    expect(mergeEnv([], ['A=1\n2\t3'])).toEqual(['A=1\n2\t3'])
  })

  const name = fc.constantFrom('A', 'B', 'PATH', '__proto__', 'constructor')
  const value = fc.string({ maxLength: 3 }).filter((text) => !text.includes('\0'))
  const variable = fc.tuple(name, value).map(([key, text]) => `${key}=${text}`)
  const changes = fc.array(fc.oneof(variable, name))

  it('gives each name once, with the last value that it was given', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(variable, { selector: (each) => each.split('=')[0] }),
        changes,
        (base, wanted) => {
          const merged = mergeEnv(base, wanted)
          const expected = new Map<string, string>()
          for (const each of [...base, ...wanted]) {
            const key = each.split('=')[0]!
            if (each.includes('=')) expected.set(key, each)
            else expected.delete(key)
          }
          expect([...merged].sort()).toEqual([...expected.values()].sort())
        },
      ),
    )
  })

  it('changes nothing the second time, and nothing that it was given', () => {
    fc.assert(
      fc.property(fc.array(variable), fc.array(variable), (base, wanted) => {
        const before = [...base]
        const once = mergeEnv(base, wanted)
        expect(mergeEnv(once, wanted)).toEqual(once)
        expect(base).toEqual(before)
      }),
    )
  })
})

it('assertEnv names the variable that it refuses', () => {
  expect(() => assertEnv(['A=1', 'B'], 'here')).toThrow('here[1]: "B" is not of the form NAME=value')
  assertEnv(['A=1', 'B='], 'here')
})
