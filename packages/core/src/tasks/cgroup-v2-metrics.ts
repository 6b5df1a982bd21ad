import type { CgroupV1Metrics } from './cgroup-v1-metrics.ts'

/*
 * What the controllers of a unified host report of one cgroup: the fields of `io.containerd.cgroups.v2.Metrics`. Bytes,
 * microseconds and counts, as in the kernel's documentation of cgroup v2; parts whose controller is missing are absent.
 */

export interface CgroupV2Metrics {
  readonly pids?: CgroupV2PidsStat | undefined
  readonly cpu?: CgroupV2CPUStat | undefined
  readonly memory?: CgroupV2MemoryStat | undefined
  readonly rdma?: CgroupV1Metrics['rdma']
  readonly io?: CgroupV2IOStat | undefined
  readonly hugetlb: readonly CgroupV2HugeTlbStat[]
  readonly memoryEvents?: CgroupV2MemoryEvents | undefined
  readonly network: CgroupV1Metrics['network']
}

export interface CgroupV2PSIData {
  readonly avg10: number
  readonly avg60: number
  readonly avg300: number
  readonly total: bigint
}

export interface CgroupV2PSIStats {
  readonly some?: CgroupV2PSIData | undefined
  readonly full?: CgroupV2PSIData | undefined
}

export interface CgroupV2PidsStat {
  readonly current: bigint
  readonly limit: bigint
}

export interface CgroupV2CPUStat {
  readonly usageUsec: bigint
  readonly userUsec: bigint
  readonly systemUsec: bigint
  readonly nrPeriods: bigint
  readonly nrThrottled: bigint
  readonly throttledUsec: bigint
  readonly psi?: CgroupV2PSIStats | undefined
  readonly nrBursts: bigint
  readonly burstUsec: bigint
}

export interface CgroupV2MemoryStat {
  readonly anon: bigint
  readonly file: bigint
  readonly kernelStack: bigint
  readonly slab: bigint
  readonly sock: bigint
  readonly shmem: bigint
  readonly fileMapped: bigint
  readonly fileDirty: bigint
  readonly fileWriteback: bigint
  readonly anonThp: bigint
  readonly inactiveAnon: bigint
  readonly activeAnon: bigint
  readonly inactiveFile: bigint
  readonly activeFile: bigint
  readonly unevictable: bigint
  readonly slabReclaimable: bigint
  readonly slabUnreclaimable: bigint
  readonly pgfault: bigint
  readonly pgmajfault: bigint
  readonly workingsetRefault: bigint
  readonly workingsetActivate: bigint
  readonly workingsetNodereclaim: bigint
  readonly pgrefill: bigint
  readonly pgscan: bigint
  readonly pgsteal: bigint
  readonly pgactivate: bigint
  readonly pgdeactivate: bigint
  readonly pglazyfree: bigint
  readonly pglazyfreed: bigint
  readonly thpFaultAlloc: bigint
  readonly thpCollapseAlloc: bigint
  readonly usage: bigint
  readonly usageLimit: bigint
  readonly swapUsage: bigint
  readonly swapLimit: bigint
  readonly maxUsage: bigint
  readonly swapMaxUsage: bigint
  readonly psi?: CgroupV2PSIStats | undefined
}

export interface CgroupV2MemoryEvents {
  readonly low: bigint
  readonly high: bigint
  readonly max: bigint
  readonly oom: bigint
  readonly oomKill: bigint
  readonly oomGroupKill: bigint
}

export interface CgroupV2IOStat {
  readonly usage: readonly CgroupV2IOEntry[]
  readonly psi?: CgroupV2PSIStats | undefined
}

export interface CgroupV2IOEntry {
  readonly major: bigint
  readonly minor: bigint
  readonly rbytes: bigint
  readonly wbytes: bigint
  readonly rios: bigint
  readonly wios: bigint
}

export interface CgroupV2HugeTlbStat {
  readonly current: bigint
  readonly max: bigint
  readonly pagesize: string
  readonly failcnt: bigint
}
