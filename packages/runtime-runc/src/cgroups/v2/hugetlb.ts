import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'

/** Bytes, for each size of huge pages that the host has; how often the limit was hit. */
export async function hugetlb(files: CgroupFiles): Promise<CgroupV2Metrics['hugetlb']> {
  const sizes = (await files.names()).flatMap((name) => /^hugetlb\.(\w+)\.current$/.exec(name)?.[1] ?? [])
  return Promise.all(
    sizes.sort().map(async (pagesize) => ({
      pagesize,
      current: (await files.number(`hugetlb.${pagesize}.current`)) ?? 0n,
      max: (await files.number(`hugetlb.${pagesize}.max`)) ?? 0n,
      failcnt: (await files.keyed(`hugetlb.${pagesize}.events`))?.('max') ?? 0n,
    })),
  )
}
