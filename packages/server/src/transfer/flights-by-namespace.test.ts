import { expect, test } from 'vitest'
import { flightsByNamespace } from './flights-by-namespace.ts'

test('E13 a sealed namespace waits for nobody else, and nobody for it', () => {
  const flightsOf = flightsByNamespace((namespace) => namespace.startsWith('tenant'))
  expect(flightsOf('a')).toBe(flightsOf('b'))
  expect(flightsOf('tenant-a')).toBe(flightsOf('tenant-a'))
  expect(flightsOf('tenant-a')).not.toBe(flightsOf('tenant-b'))
  expect(flightsOf('tenant-a')).not.toBe(flightsOf('a'))
})
