import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import { CgroupFiles } from '../cgroup-files.ts'
import { rdma } from '../rdma.ts'
import { blkio } from './blkio.ts'
import { cpu } from './cpu.ts'
import { hugetlb } from './hugetlb.ts'
import { memory, memoryOomControl } from './memory.ts'
import { pids } from './pids.ts'

/** Reads the metrics of a cgroup. @param directories by controller */
export function cgroupV1Metrics(directories: ReadonlyMap<string, string>): CgroupV1Metrics {
  const of = <T>(controller: string, read: (files: CgroupFiles) => T): T | undefined => {
    const directory = directories.get(controller)
    return directory === undefined ? undefined : read(new CgroupFiles(directory))
  }
  const files = (controller: string) => of(controller, (files) => files)
  return {
    hugetlb: of('hugetlb', hugetlb) ?? [],
    pids: of('pids', pids),
    cpu: cpu(files('cpu'), files('cpuacct')),
    memory: of('memory', memory),
    memoryOomControl: of('memory', memoryOomControl),
    blkio: of('blkio', blkio),
    rdma: of('rdma', rdma),
    network: [],
  }
}
