import { expect, test } from 'vitest'
import { flightsByNamespace } from './flights-by-namespace.ts'

test('F02 a sealed namespace waits for nobody else, and nobody for it', () => {
  const flightsOf = flightsByNamespace((namespace) => namespace.startsWith('tenant'))
  type Download = Parameters<ReturnType<typeof flightsOf>['downloads']['begin']>[1]
  const underWay = (namespace: string) => flightsOf(namespace).downloads.of('digest').length
  const begin = (namespace: string) => flightsOf(namespace).downloads.begin('digest', {} as Download)
  {
    using _tenants = begin('tenant-a')
    expect(['tenant-a', 'tenant-b', 'a'].map(underWay)).toEqual([1, 0, 0])
    using _shared = begin('a')
    expect(['tenant-a', 'tenant-b', 'a', 'b'].map(underWay)).toEqual([1, 0, 1, 1])
  }
  expect(underWay('tenant-a')).toBe(0)
})
