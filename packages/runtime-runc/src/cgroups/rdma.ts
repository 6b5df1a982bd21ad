import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from './cgroup-files.ts'

/** The same in both versions. */
type Rdma = NonNullable<CgroupV2Metrics['rdma']>
type RdmaEntry = Rdma['current'][number]

const noLimit = 2 ** 32 - 1

/** The RDMA usage of a cgroup; undefined without the controller. */
export function rdma(files: CgroupFiles): Rdma | undefined {
  const current = files.text('rdma.current')
  const limit = files.text('rdma.max')
  if (current === undefined && limit === undefined) return undefined
  return { current: parseRdma(current ?? ''), limit: parseRdma(limit ?? '') }
}

/** Reads lines such as `mlx4_0 hca_handle=2 hca_object=max`. */
export function parseRdma(text: string): RdmaEntry[] {
  return text.split('\n').flatMap((line) => {
    const [device, ...pairs] = line.trim().split(/\s+/)
    if (device === undefined || device === '' || pairs.length === 0) return []
    const values = new Map(pairs.map((pair) => pair.split('=') as [string, string]))
    const number = (key: string) => {
      const value = values.get(key)
      if (value === 'max') return noLimit
      return value !== undefined && /^\d{1,10}$/.test(value) ? Math.min(Number(value), noLimit) : 0
    }
    return [{ device, hcaHandles: number('hca_handle'), hcaObjects: number('hca_object') }]
  })
}
