import { expect, test } from 'vitest'
import { messageJson } from '../message-json.ts'
import { metricsRows } from './metrics-rows.ts'

test('statistics of a unified host have the names of its files', () => {
  const cpu = {
    usageUsec: 5n,
    userUsec: 3n,
    systemUsec: 2n,
    nrPeriods: 0n,
    nrThrottled: 0n,
    throttledUsec: 0n,
  }
  const rows = metricsRows({
    cgroup: 2,
    metrics: {
      pids: { current: 1n, limit: 0n },
      cpu: { ...cpu, nrBursts: 0n, burstUsec: 0n },
      hugetlb: [],
      network: [],
    },
  })
  expect(rows.map(([name, value]) => `${name} ${value}`)).toEqual([
    'pids.current 1',
    'pids.limit 0',
    'cpu.usage_usec 5',
    'cpu.user_usec 3',
    'cpu.system_usec 2',
    'cpu.nr_periods 0',
    'cpu.nr_throttled 0',
    'cpu.throttled_usec 0',
  ])
})

test('JSON keeps integers of any length and leaves out what is zero or empty', () => {
  const json = messageJson({
    $typeName: 'left.out',
    perCpu: [0n, 2n ** 63n],
    usage: 18_446_744_073_709_551_615n,
    zero: 0n,
    empty: '',
    none: [],
    absent: undefined,
    inside: { nothing: 0n },
    avg10: 0.5,
    name: 'a"b',
  })
  expect(json).toContain('18446744073709551615')
  expect(json).toContain('9223372036854775808')
  expect(json.replace(/\s/g, '').replace(/\d{19,}/g, '1')).toBe(
    '{"per_cpu":[0,1],"usage":1,"inside":{},"avg10":0.5,"name":"a\\"b"}',
  )
})
