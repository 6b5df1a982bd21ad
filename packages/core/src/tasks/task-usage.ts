import type { CgroupV1Metrics } from './cgroup-v1-metrics.ts'
import type { CgroupV2Metrics } from './cgroup-v2-metrics.ts'
import type { TaskMetrics } from './metrics.ts'

/** What a task has used up, whatever the version of the host's cgroups. What its server cannot tell is undefined. */
export interface TaskUsage {
  /** Seconds of processors since its start. */
  readonly cpuSeconds?: number | undefined
  readonly memoryBytes?: number | undefined
  /** Memory without what the kernel can drop of files at once. */
  readonly workingSetBytes?: number | undefined
  /** Undefined as well where there is no limit. */
  readonly memoryLimitBytes?: number | undefined
  readonly pids?: number | undefined
  /** Bytes of block devices. */
  readonly readBytes?: number | undefined
  readonly writtenBytes?: number | undefined
  /** Bytes of all network interfaces. */
  readonly receivedBytes?: number | undefined
  readonly sentBytes?: number | undefined
}

/** Limits from here on are none: the kernels write so large a number where there is none. */
const noLimit = 1n << 60n

/** @returns an empty usage for metrics of another form, such as those of another runtime */
export function taskUsage(data: TaskMetrics['data']): TaskUsage {
  if ('opaque' in data) return {}
  const { pids, network } = data.metrics
  return {
    ...(data.cgroup === 2 ? usageOfV2(data.metrics) : usageOfV1(data.metrics)),
    pids: pids && Number(pids.current),
    ...(network.length > 0 && {
      receivedBytes: sum(network.map(({ rxBytes }) => rxBytes)),
      sentBytes: sum(network.map(({ txBytes }) => txBytes)),
    }),
  }
}

function usageOfV2({ cpu, memory, io }: CgroupV2Metrics): TaskUsage {
  return {
    cpuSeconds: cpu && Number(cpu.usageUsec) / 1e6,
    memoryBytes: memory && Number(memory.usage),
    workingSetBytes: memory && workingSet(memory.usage, memory.inactiveFile),
    memoryLimitBytes: limit(memory?.usageLimit),
    readBytes: io && sum(io.usage.map(({ rbytes }) => rbytes)),
    writtenBytes: io && sum(io.usage.map(({ wbytes }) => wbytes)),
  }
}

function usageOfV1({ cpu, memory, blkio }: CgroupV1Metrics): TaskUsage {
  const moved = (op: string) =>
    blkio &&
    sum(
      blkio.ioServiceBytesRecursive.flatMap((entry) => (entry.op.toLowerCase() === op ? [entry.value] : [])),
    )
  return {
    cpuSeconds: cpu?.usage && Number(cpu.usage.total) / 1e9,
    memoryBytes: memory?.usage && Number(memory.usage.usage),
    workingSetBytes: memory?.usage && workingSet(memory.usage.usage, memory.totalInactiveFile),
    memoryLimitBytes: limit(memory?.usage?.limit),
    readBytes: moved('read'),
    writtenBytes: moved('write'),
  }
}

const workingSet = (usage: bigint, inactiveFile: bigint) => Math.max(0, Number(usage - inactiveFile))

const limit = (bytes: bigint | undefined) =>
  bytes === undefined || bytes === 0n || bytes >= noLimit ? undefined : Number(bytes)

const sum = (values: readonly bigint[]) => Number(values.reduce((total, value) => total + value, 0n))
