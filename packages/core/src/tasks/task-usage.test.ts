import { expect, test } from 'vitest'
import type { CgroupV1Metrics } from './cgroup-v1-metrics.ts'
import type { CgroupV2Metrics } from './cgroup-v2-metrics.ts'
import { taskUsage } from './task-usage.ts'

const network = [
  { rxBytes: 1n, txBytes: 3n },
  { rxBytes: 10n, txBytes: 30n },
]
const expected = {
  ...{ cpuSeconds: 2, memoryBytes: 500, workingSetBytes: 400, memoryLimitBytes: 1000, pids: 3 },
  ...{ readBytes: 11, writtenBytes: 22, receivedBytes: 11, sentBytes: 33 },
}

test('what a task uses is the same of both versions of cgroups', () => {
  const [v1, v2] = [
    {
      pids: { current: 3n },
      cpu: { usage: { total: 2_000_000_000n } },
      memory: { usage: { usage: 500n, limit: 1000n }, totalInactiveFile: 100n },
      blkio: {
        ioServiceBytesRecursive: [
          { op: 'Read', value: 1n },
          { op: 'read', value: 10n },
          { op: 'Write', value: 22n },
          { op: 'Total', value: 33n },
        ],
      },
      network,
    },
    {
      pids: { current: 3n },
      cpu: { usageUsec: 2_000_000n },
      memory: { usage: 500n, usageLimit: 1000n, inactiveFile: 100n },
      io: {
        usage: [
          { rbytes: 1n, wbytes: 2n },
          { rbytes: 10n, wbytes: 20n },
        ],
      },
      network,
    },
  ]
  expect(taskUsage({ cgroup: 1, metrics: v1 as unknown as CgroupV1Metrics })).toEqual(expected)
  expect(taskUsage({ cgroup: 2, metrics: v2 as unknown as CgroupV2Metrics })).toEqual(expected)
})

test.each([
  [1, { memory: { usage: { usage: 5n, limit: 9_223_372_036_854_771_712n }, totalInactiveFile: 9n } }],
  [2, { memory: { usage: 5n, usageLimit: 18_446_744_073_709_551_615n, inactiveFile: 9n } }],
] as const)('what cgroups of version %j do not tell is not zero', (cgroup, metrics) => {
  const data = { cgroup, metrics: { ...metrics, network: [] } } as unknown as Parameters<typeof taskUsage>[0]
  expect(taskUsage(data)).toEqual({ memoryBytes: 5, workingSetBytes: 0 })
  expect(taskUsage({ opaque: { typeUrl: 'other', value: new Uint8Array() } })).toEqual({})
})
