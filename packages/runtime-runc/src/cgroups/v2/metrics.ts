import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import { CgroupFiles } from '../cgroup-files.ts'
import { rdma } from '../rdma.ts'
import { hugetlb } from './hugetlb.ts'
import { io } from './io.ts'
import { memory, memoryEvents } from './memory.ts'
import { pressure } from './pressure.ts'

/**
 * Reads the metrics of a cgroup of the unified hierarchy. Clients expect the parts for CPU, memory, IO, RDMA and
 * numbers of processes, which are zeros and empty where a controller is missing.
 */
export function cgroupV2Metrics(directory: string): CgroupV2Metrics {
  const files = new CgroupFiles(directory)
  return {
    pids: pids(files),
    cpu: cpu(files),
    memory: memory(files),
    rdma: rdma(files) ?? { current: [], limit: [] },
    io: io(files),
    hugetlb: hugetlb(files),
    memoryEvents: memoryEvents(files),
    network: [],
  }
}

function pids(files: CgroupFiles): CgroupV2Metrics['pids'] {
  return {
    current: files.number('pids.current') ?? 0n,
    limit: files.number('pids.max') ?? 0n,
  }
}

function cpu(files: CgroupFiles): CgroupV2Metrics['cpu'] {
  const stat = files.keyed('cpu.stat') ?? (() => 0n)
  return {
    usageUsec: stat('usage_usec'),
    userUsec: stat('user_usec'),
    systemUsec: stat('system_usec'),
    nrPeriods: stat('nr_periods'),
    nrThrottled: stat('nr_throttled'),
    throttledUsec: stat('throttled_usec'),
    nrBursts: stat('nr_bursts'),
    burstUsec: stat('burst_usec'),
    psi: pressure(files, 'cpu'),
  }
}
