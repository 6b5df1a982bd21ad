import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles, KeyedNumbers } from '../cgroup-files.ts'

type MemoryStat = NonNullable<CgroupV1Metrics['memory']>
type MemoryEntry = NonNullable<MemoryStat['usage']>

/** Bytes, and pages or faults for what begins with `pg`; `total` counts the cgroups below as well. */
export async function memory(files: CgroupFiles): Promise<MemoryStat | undefined> {
  const stat = await files.keyed('memory.stat')
  if (stat === undefined) return undefined
  return {
    ...own(stat),
    ...total(stat),
    hierarchicalMemoryLimit: stat('hierarchical_memory_limit'),
    hierarchicalSwapLimit: stat('hierarchical_memsw_limit'),
    usage: await entry(files, 'memory'),
    swap: await entry(files, 'memory.memsw'),
    kernel: await entry(files, 'memory.kmem'),
    kernelTcp: await entry(files, 'memory.kmem.tcp'),
  }
}

export async function memoryOomControl(files: CgroupFiles): Promise<CgroupV1Metrics['memoryOomControl']> {
  const control = await files.keyed('memory.oom_control')
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

/** Zeros where the kernel does not account for it, as for swap with `swapaccount=0`; clients count on all entries. */
async function entry(files: CgroupFiles, prefix: string): Promise<MemoryEntry> {
  const number = async (name: string) => (await files.number(`${prefix}.${name}`)) ?? 0n
  return {
    usage: await number('usage_in_bytes'),
    limit: await number('limit_in_bytes'),
    max: await number('max_usage_in_bytes'),
    failcnt: await number('failcnt'),
  }
}
