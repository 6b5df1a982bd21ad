import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'

/** Bytes, for each size of huge pages that the host has. */
export async function hugetlb(files: CgroupFiles): Promise<CgroupV1Metrics['hugetlb']> {
  const sizes = (await files.names()).flatMap(
    (name) => /^hugetlb\.(\w+)\.usage_in_bytes$/.exec(name)?.[1] ?? [],
  )
  return Promise.all(
    sizes
      .filter((size) => size !== 'rsvd')
      .sort()
      .map(async (pagesize) => ({
        pagesize,
        usage: (await files.number(`hugetlb.${pagesize}.usage_in_bytes`)) ?? 0n,
        max: (await files.number(`hugetlb.${pagesize}.max_usage_in_bytes`)) ?? 0n,
        failcnt: (await files.number(`hugetlb.${pagesize}.failcnt`)) ?? 0n,
      })),
  )
}
