import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'

/** Bytes, for each size of huge pages that the host has. */
export function hugetlb(files: CgroupFiles): CgroupV1Metrics['hugetlb'] {
  const sizes = files.names().flatMap((name) => /^hugetlb\.(\w+)\.usage_in_bytes$/.exec(name)?.[1] ?? [])
  return sizes
    .filter((size) => size !== 'rsvd')
    .sort()
    .map((pagesize) => ({
      pagesize,
      usage: files.number(`hugetlb.${pagesize}.usage_in_bytes`) ?? 0n,
      max: files.number(`hugetlb.${pagesize}.max_usage_in_bytes`) ?? 0n,
      failcnt: files.number(`hugetlb.${pagesize}.failcnt`) ?? 0n,
    }))
}
