import { isResourceExhausted } from '@nsbox/errors'
import { turnsOf } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { withSubject } from '../testing/collector-subject.ts'

describe('E08 a listing', () => {
  // Pseudo-random, so that no text helps with another.
  let state = 1
  const bit = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >> 16) & 1
  }
  const newText = () => Array.from({ length: 4000 }, () => 'ab'[bit()]).join('')
  const text = newText()
  // Some 20 ms for each text.
  const filter = 'labels.k~="(a|b)*a(a|b){16}[cd]"'

  test('lets others have their turn between two objects, by the work that its filter makes', () =>
    withSubject(async ({ ns }) => {
      for (let index = 0; index < 30; index++)
        await ns.leases.create({ id: `lease-${index}`, labels: { k: newText() } })
      expect(await turnsOf(ns.leases.list())).toBeLessThan(15)
      expect(await turnsOf(ns.leases.list([filter]))).toBeGreaterThanOrEqual(15)
    }))

  test('with a regular expression that is too much for a label is refused', () =>
    withSubject(async ({ ns }) => {
      await ns.leases.create({ labels: { k: text } })
      const error = await ns.leases.list(['labels.k~="(x|a.*){100}b"']).catch((reason: unknown) => reason)
      expect(isResourceExhausted(error)).toBe(true)
    }))

  test('is read in pages of bounded bytes', () =>
    withSubject(async ({ ns }) => {
      const labels = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${at}`, text]))
      for (let index = 0; index < 20; index++) await ns.leases.create({ id: `${index}`, labels })
      expect(await ns.leases.list()).toHaveLength(20)
      expect(await ns.leases.list(['id==7'])).toHaveLength(1)
    }))

  test('E04 that would be too much for one message is refused, and not what is asked for by filters', () =>
    withSubject(async ({ ns }) => {
      const labels = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`k${at}`, text]))
      for (let index = 0; index < 5; index++) await ns.leases.create({ id: `${index}`, labels })
      const error = await ns.leases.list().catch((reason: unknown) => reason)
      expect(isResourceExhausted(error)).toBe(true)
      expect(await ns.leases.list(['id==3', 'id==4'])).toHaveLength(2)
    }))
})
