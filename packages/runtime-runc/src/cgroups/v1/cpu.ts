import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'

type CPUStat = NonNullable<CgroupV1Metrics['cpu']>

/** Nanoseconds in the unit of `cpuacct.stat`, which is always 1/100 second (USER_HZ). */
const tick = 10_000_000n

const nothing = () => 0n

/**
 * Zeros where a controller is missing; clients expect all parts.
 * @param cpu the controller that throttles
 * @param cpuacct the controller that counts
 */
export function cpu(cpu: CgroupFiles | undefined, cpuacct: CgroupFiles | undefined): CPUStat {
  return { usage: usage(cpuacct), throttling: throttling(cpu) }
}

function usage(files: CgroupFiles | undefined): CPUStat['usage'] {
  const stat = files?.keyed('cpuacct.stat') ?? nothing
  const perCpu = files?.text('cpuacct.usage_percpu') ?? ''
  return {
    total: files?.number('cpuacct.usage') ?? 0n,
    kernel: stat('system') * tick,
    user: stat('user') * tick,
    perCpu: perCpu
      .split(/\s+/)
      .filter((number) => /^\d+$/.test(number))
      .map(BigInt),
  }
}

function throttling(files: CgroupFiles | undefined): CPUStat['throttling'] {
  const stat = files?.keyed('cpu.stat') ?? nothing
  return {
    periods: stat('nr_periods'),
    throttledPeriods: stat('nr_throttled'),
    throttledTime: stat('throttled_time'),
  }
}
