import type { CgroupV1Metrics, CgroupV2Metrics, TaskMetrics } from '@nsbox/core/tasks'

/** Statistics by their names, as containerd's client has them; those of controllers that are missing are left out. */
export function metricsRows(data: Extract<TaskMetrics['data'], { metrics: unknown }>): string[][] {
  const values = data.cgroup === 1 ? valuesOfV1(data.metrics) : valuesOfV2(data.metrics)
  return values.flatMap(([name, value]) => (value === undefined ? [] : [[name, format(value), '']]))
}

type Values = [name: string, value: bigint | readonly bigint[] | undefined][]

function valuesOfV1({ memory, cpu, pids }: CgroupV1Metrics): Values {
  return [
    ['memory.usage_in_bytes', memory?.usage?.usage],
    ['memory.limit_in_bytes', memory?.usage?.limit],
    ['memory.stat.cache', memory?.cache],
    ['cpuacct.usage', cpu?.usage?.total],
    ['cpuacct.usage_percpu', cpu?.usage?.perCpu],
    ['pids.current', pids?.current],
    ['pids.limit', pids?.limit],
  ]
}

function valuesOfV2({ memory, cpu, pids }: CgroupV2Metrics): Values {
  return [
    ['pids.current', pids?.current],
    ['pids.limit', pids?.limit],
    ['cpu.usage_usec', cpu?.usageUsec],
    ['cpu.user_usec', cpu?.userUsec],
    ['cpu.system_usec', cpu?.systemUsec],
    ['cpu.nr_periods', cpu?.nrPeriods],
    ['cpu.nr_throttled', cpu?.nrThrottled],
    ['cpu.throttled_usec', cpu?.throttledUsec],
    ['memory.usage', memory?.usage],
    ['memory.usage_limit', memory?.usageLimit],
    ['memory.swap_usage', memory?.swapUsage],
    ['memory.swap_limit', memory?.swapLimit],
  ]
}

function format(value: bigint | readonly bigint[]): string {
  return typeof value === 'bigint' ? String(value) : `[${value.join(' ')}]`
}
