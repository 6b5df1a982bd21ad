import type { TaskMetrics } from '@nsbox/core/tasks'
import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { cpuPercent } from './cpu-percent.ts'
import { statsTable } from './stats-table.ts'

const lines = (text: string) => text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))

test('what is not known of a container is no zero, and networks that no server tells have no column', () => {
  const [a, b] = [
    { id: 'a', image: 'i' },
    { id: 'b', image: '', cpuPercent: 150, workingSetBytes: 512, pids: 2 },
  ]
  expect(lines(statsTable([a, { ...b, memoryLimitBytes: 1024, readBytes: 0, writtenBytes: 3 }]))).toEqual([
    'CONTAINER | IMAGE | CPU % | MEM USAGE / LIMIT | MEM % | BLOCK I/O | PIDS',
    'a | i | - | - / - | - | - / - | -',
    'b | - | 150.00% | 512.0 B / 1.0 KiB | 50.00% | 0.0 B / 3.0 B | 2',
    '',
  ])
  expect(lines(statsTable([{ ...b, receivedBytes: 1, sentBytes: 2 }]))).toEqual([
    'CONTAINER | IMAGE | CPU % | MEM USAGE / LIMIT | MEM % | NET I/O | BLOCK I/O | PIDS',
    'b | - | 150.00% | 512.0 B / - | - | 1.0 B / 2.0 B | - / - | 2',
    '',
  ])
})

test('processor time counts between two measurements of the same task', () => {
  const at = (seconds: number, usageUsec: bigint): TaskMetrics => {
    const metrics = { cpu: { usageUsec }, hugetlb: [], network: [] }
    return { id: 'a', timestamp: new Timestamp(seconds), data: { cgroup: 2, metrics: metrics as never } }
  }
  expect(cpuPercent(at(10, 1_000_000n), at(12, 4_000_000n))).toBe(150)
  expect(cpuPercent(undefined, at(12, 4n))).toBeUndefined()
  // Started anew.
  expect(cpuPercent(at(10, 5n), at(12, 4n))).toBeUndefined()
  expect(cpuPercent(at(10, 5n), at(10, 6n))).toBeUndefined()
})
