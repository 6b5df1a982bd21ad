/*
 * What the controllers of a cgroup v1 (or hybrid) host report of one cgroup: the fields of
 * `io.containerd.cgroups.v1.Metrics`. Bytes, nanoseconds and counts, as in the kernel's documentation of cgroup v1;
 * parts whose controller is missing are absent.
 */

export interface CgroupV1Metrics {
  readonly hugetlb: readonly CgroupV1HugetlbStat[]
  readonly pids?: CgroupV1PidsStat | undefined
  readonly cpu?: CgroupV1CPUStat | undefined
  readonly memory?: CgroupV1MemoryStat | undefined
  readonly blkio?: CgroupV1BlkIOStat | undefined
  readonly rdma?: CgroupV1RdmaStat | undefined
  readonly network: readonly CgroupV1NetworkStat[]
  readonly cgroupStats?: CgroupV1CgroupStats | undefined
  readonly memoryOomControl?: CgroupV1MemoryOomControl | undefined
}

export interface CgroupV1HugetlbStat {
  readonly usage: bigint
  readonly max: bigint
  readonly failcnt: bigint
  readonly pagesize: string
}

export interface CgroupV1PidsStat {
  readonly current: bigint
  readonly limit: bigint
}

export interface CgroupV1CPUStat {
  readonly usage?: CgroupV1CPUUsage | undefined
  readonly throttling?: CgroupV1Throttle | undefined
}

export interface CgroupV1CPUUsage {
  readonly total: bigint
  readonly kernel: bigint
  readonly user: bigint
  readonly perCpu: readonly bigint[]
}

export interface CgroupV1Throttle {
  readonly periods: bigint
  readonly throttledPeriods: bigint
  readonly throttledTime: bigint
}

export interface CgroupV1MemoryStat {
  readonly cache: bigint
  readonly rss: bigint
  readonly rssHuge: bigint
  readonly mappedFile: bigint
  readonly dirty: bigint
  readonly writeback: bigint
  readonly pgPgIn: bigint
  readonly pgPgOut: bigint
  readonly pgFault: bigint
  readonly pgMajFault: bigint
  readonly inactiveAnon: bigint
  readonly activeAnon: bigint
  readonly inactiveFile: bigint
  readonly activeFile: bigint
  readonly unevictable: bigint
  readonly hierarchicalMemoryLimit: bigint
  readonly hierarchicalSwapLimit: bigint
  readonly totalCache: bigint
  readonly totalRss: bigint
  readonly totalRssHuge: bigint
  readonly totalMappedFile: bigint
  readonly totalDirty: bigint
  readonly totalWriteback: bigint
  readonly totalPgPgIn: bigint
  readonly totalPgPgOut: bigint
  readonly totalPgFault: bigint
  readonly totalPgMajFault: bigint
  readonly totalInactiveAnon: bigint
  readonly totalActiveAnon: bigint
  readonly totalInactiveFile: bigint
  readonly totalActiveFile: bigint
  readonly totalUnevictable: bigint
  readonly usage?: CgroupV1MemoryEntry | undefined
  readonly swap?: CgroupV1MemoryEntry | undefined
  readonly kernel?: CgroupV1MemoryEntry | undefined
  readonly kernelTcp?: CgroupV1MemoryEntry | undefined
}

export interface CgroupV1MemoryEntry {
  readonly limit: bigint
  readonly usage: bigint
  readonly max: bigint
  readonly failcnt: bigint
}

export interface CgroupV1MemoryOomControl {
  readonly oomKillDisable: bigint
  readonly underOom: bigint
  readonly oomKill: bigint
}

export interface CgroupV1BlkIOStat {
  readonly ioServiceBytesRecursive: readonly CgroupV1BlkIOEntry[]
  readonly ioServicedRecursive: readonly CgroupV1BlkIOEntry[]
  readonly ioQueuedRecursive: readonly CgroupV1BlkIOEntry[]
  readonly ioServiceTimeRecursive: readonly CgroupV1BlkIOEntry[]
  readonly ioWaitTimeRecursive: readonly CgroupV1BlkIOEntry[]
  readonly ioMergedRecursive: readonly CgroupV1BlkIOEntry[]
  readonly ioTimeRecursive: readonly CgroupV1BlkIOEntry[]
  readonly sectorsRecursive: readonly CgroupV1BlkIOEntry[]
}

export interface CgroupV1BlkIOEntry {
  readonly op: string
  readonly device: string
  readonly major: bigint
  readonly minor: bigint
  readonly value: bigint
}

export interface CgroupV1RdmaStat {
  readonly current: readonly CgroupV1RdmaEntry[]
  readonly limit: readonly CgroupV1RdmaEntry[]
}

export interface CgroupV1RdmaEntry {
  readonly device: string
  readonly hcaHandles: number
  readonly hcaObjects: number
}

export interface CgroupV1NetworkStat {
  readonly name: string
  readonly rxBytes: bigint
  readonly rxPackets: bigint
  readonly rxErrors: bigint
  readonly rxDropped: bigint
  readonly txBytes: bigint
  readonly txPackets: bigint
  readonly txErrors: bigint
  readonly txDropped: bigint
}

export interface CgroupV1CgroupStats {
  readonly nrSleeping: bigint
  readonly nrRunning: bigint
  readonly nrStopped: bigint
  readonly nrUninterruptible: bigint
  readonly nrIoWait: bigint
}
