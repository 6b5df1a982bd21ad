import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'
import { pressure } from './pressure.ts'

type MemoryStat = NonNullable<CgroupV2Metrics['memory']>

/** Bytes and numbers of events. */
export function memory(files: CgroupFiles): MemoryStat {
  const stat = files.keyed('memory.stat') ?? (() => 0n)
  // Since Linux 5.9 these are counted by kind.
  const both = (key: string) => stat(key) + stat(`${key}_anon`) + stat(`${key}_file`)
  const number = (name: string) => files.number(`memory.${name}`) ?? 0n
  return {
    anon: stat('anon'),
    file: stat('file'),
    kernelStack: stat('kernel_stack'),
    slab: stat('slab'),
    sock: stat('sock'),
    shmem: stat('shmem'),
    fileMapped: stat('file_mapped'),
    fileDirty: stat('file_dirty'),
    fileWriteback: stat('file_writeback'),
    anonThp: stat('anon_thp'),
    inactiveAnon: stat('inactive_anon'),
    activeAnon: stat('active_anon'),
    inactiveFile: stat('inactive_file'),
    activeFile: stat('active_file'),
    unevictable: stat('unevictable'),
    slabReclaimable: stat('slab_reclaimable'),
    slabUnreclaimable: stat('slab_unreclaimable'),
    pgfault: stat('pgfault'),
    pgmajfault: stat('pgmajfault'),
    workingsetRefault: both('workingset_refault'),
    workingsetActivate: both('workingset_activate'),
    workingsetNodereclaim: stat('workingset_nodereclaim'),
    pgrefill: stat('pgrefill'),
    pgscan: stat('pgscan'),
    pgsteal: stat('pgsteal'),
    pgactivate: stat('pgactivate'),
    pgdeactivate: stat('pgdeactivate'),
    pglazyfree: stat('pglazyfree'),
    pglazyfreed: stat('pglazyfreed'),
    thpFaultAlloc: stat('thp_fault_alloc'),
    thpCollapseAlloc: stat('thp_collapse_alloc'),
    usage: number('current'),
    usageLimit: number('max'),
    swapUsage: number('swap.current'),
    swapLimit: number('swap.max'),
    maxUsage: number('peak'),
    swapMaxUsage: number('swap.peak'),
    psi: pressure(files, 'memory'),
  }
}

/** Undefined without the controller. */
export function memoryEvents(files: CgroupFiles): CgroupV2Metrics['memoryEvents'] {
  const events = files.keyed('memory.events')
  if (events === undefined) return undefined
  return {
    low: events('low'),
    high: events('high'),
    max: events('max'),
    oom: events('oom'),
    oomKill: events('oom_kill'),
    oomGroupKill: events('oom_group_kill'),
  }
}
