import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import { CgroupFiles } from '../cgroup-files.ts'
import { rdma } from '../rdma.ts'
import { hugetlb } from './hugetlb.ts'
import { io } from './io.ts'
import { memory, memoryEvents } from './memory.ts'
import { pressure } from './pressure.ts'

/**
 * Reads what the controllers tell of a cgroup of the unified hierarchy. Clients count on the parts for CPU, memory, IO,
 * RDMA and numbers of processes, which are zeros and empty where a controller is missing.
 */
export async function cgroupV2Metrics(directory: string): Promise<CgroupV2Metrics> {
  const files = new CgroupFiles(directory)
  const parts = await Promise.all([
    pids(files),
    cpu(files),
    memory(files),
    rdma(files),
    io(files),
    hugetlb(files),
    memoryEvents(files),
  ])
  return {
    pids: parts[0],
    cpu: parts[1],
    memory: parts[2],
    rdma: parts[3] ?? { current: [], limit: [] },
    io: parts[4],
    hugetlb: parts[5],
    memoryEvents: parts[6],
    network: [],
  }
}

async function pids(files: CgroupFiles): Promise<CgroupV2Metrics['pids']> {
  return {
    current: (await files.number('pids.current')) ?? 0n,
    limit: (await files.number('pids.max')) ?? 0n,
  }
}

async function cpu(files: CgroupFiles): Promise<CgroupV2Metrics['cpu']> {
  const stat = (await files.keyed('cpu.stat')) ?? (() => 0n)
  return {
    usageUsec: stat('usage_usec'),
    userUsec: stat('user_usec'),
    systemUsec: stat('system_usec'),
    nrPeriods: stat('nr_periods'),
    nrThrottled: stat('nr_throttled'),
    throttledUsec: stat('throttled_usec'),
    nrBursts: stat('nr_bursts'),
    burstUsec: stat('burst_usec'),
    psi: await pressure(files, 'cpu'),
  }
}
