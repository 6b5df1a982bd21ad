import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'

type CPUStat = NonNullable<CgroupV1Metrics['cpu']>

/** Nanoseconds in the unit of `cpuacct.stat`, which is 1/100 second for all programs whatever the kernel counts in. */
const tick = 10_000_000n

/** @param cpu the controller that throttles @param cpuacct the one that counts */
export async function cpu(
  cpu: CgroupFiles | undefined,
  cpuacct: CgroupFiles | undefined,
): Promise<CPUStat | undefined> {
  if (cpu === undefined && cpuacct === undefined) return undefined
  return {
    usage: cpuacct === undefined ? undefined : await usage(cpuacct),
    throttling: cpu === undefined ? undefined : await throttling(cpu),
  }
}

async function usage(files: CgroupFiles): Promise<CPUStat['usage']> {
  const total = await files.number('cpuacct.usage')
  const stat = await files.keyed('cpuacct.stat')
  if (total === undefined || stat === undefined) return undefined
  const perCpu = (await files.text('cpuacct.usage_percpu')) ?? ''
  return {
    total,
    kernel: stat('system') * tick,
    user: stat('user') * tick,
    perCpu: perCpu
      .split(/\s+/)
      .filter((number) => /^\d+$/.test(number))
      .map(BigInt),
  }
}

async function throttling(files: CgroupFiles): Promise<CPUStat['throttling']> {
  const stat = await files.keyed('cpu.stat')
  if (stat === undefined) return undefined
  return {
    periods: stat('nr_periods'),
    throttledPeriods: stat('nr_throttled'),
    throttledTime: stat('throttled_time'),
  }
}
