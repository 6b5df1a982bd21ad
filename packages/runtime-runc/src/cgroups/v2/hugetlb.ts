import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'

/** Bytes, for each size of huge pages that the host has; how often the limit was hit. */
export function hugetlb(files: CgroupFiles): CgroupV2Metrics['hugetlb'] {
  const sizes = files.names().flatMap((name) => /^hugetlb\.(\w+)\.current$/.exec(name)?.[1] ?? [])
  return sizes.sort().map((pagesize) => ({
    pagesize,
    current: files.number(`hugetlb.${pagesize}.current`) ?? 0n,
    max: files.number(`hugetlb.${pagesize}.max`) ?? 0n,
    failcnt: files.keyed(`hugetlb.${pagesize}.events`)?.('max') ?? 0n,
  }))
}
