import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles, KeyedNumbers } from '../cgroup-files.ts'

type MemoryStat = NonNullable<CgroupV1Metrics['memory']>
type MemoryEntry = NonNullable<MemoryStat['usage']>

/** Bytes, and pages or faults for what begins with `pg`; `total` counts the cgroups below as well. */
export function memory(files: CgroupFiles): MemoryStat | undefined {
  const stat = files.keyed('memory.stat')
  if (stat === undefined) return undefined
  return {
    ...own(stat),
    ...total(stat),
    hierarchicalMemoryLimit: stat('hierarchical_memory_limit'),
    hierarchicalSwapLimit: stat('hierarchical_memsw_limit'),
    usage: entry(files, 'memory'),
    swap: entry(files, 'memory.memsw'),
    kernel: entry(files, 'memory.kmem'),
    kernelTcp: entry(files, 'memory.kmem.tcp'),
  }
}

export function memoryOomControl(files: CgroupFiles): CgroupV1Metrics['memoryOomControl'] {
  const control = files.keyed('memory.oom_control')
  if (control === undefined) return undefined
  return {
    oomKillDisable: control('oom_kill_disable'),
    underOom: control('under_oom'),
    oomKill: control('oom_kill'),
  }
}

const own = (stat: KeyedNumbers) => ({
  cache: stat('cache'),
  rss: stat('rss'),
  rssHuge: stat('rss_huge'),
  mappedFile: stat('mapped_file'),
  dirty: stat('dirty'),
  writeback: stat('writeback'),
  pgPgIn: stat('pgpgin'),
  pgPgOut: stat('pgpgout'),
  pgFault: stat('pgfault'),
  pgMajFault: stat('pgmajfault'),
  inactiveAnon: stat('inactive_anon'),
  activeAnon: stat('active_anon'),
  inactiveFile: stat('inactive_file'),
  activeFile: stat('active_file'),
  unevictable: stat('unevictable'),
})

const total = (stat: KeyedNumbers) => ({
  totalCache: stat('total_cache'),
  totalRss: stat('total_rss'),
  totalRssHuge: stat('total_rss_huge'),
  totalMappedFile: stat('total_mapped_file'),
  totalDirty: stat('total_dirty'),
  totalWriteback: stat('total_writeback'),
  totalPgPgIn: stat('total_pgpgin'),
  totalPgPgOut: stat('total_pgpgout'),
  totalPgFault: stat('total_pgfault'),
  totalPgMajFault: stat('total_pgmajfault'),
  totalInactiveAnon: stat('total_inactive_anon'),
  totalActiveAnon: stat('total_active_anon'),
  totalInactiveFile: stat('total_inactive_file'),
  totalActiveFile: stat('total_active_file'),
  totalUnevictable: stat('total_unevictable'),
})

/** Zeros where the kernel does not count it, as for swap with `swapaccount=0`; clients expect all entries. */
function entry(files: CgroupFiles, prefix: string): MemoryEntry {
  const number = (name: string) => files.number(`${prefix}.${name}`) ?? 0n
  return {
    usage: number('usage_in_bytes'),
    limit: number('limit_in_bytes'),
    max: number('max_usage_in_bytes'),
    failcnt: number('failcnt'),
  }
}
