import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import { CgroupFiles } from '../cgroup-files.ts'
import { rdma } from '../rdma.ts'
import { blkio } from './blkio.ts'
import { cpu } from './cpu.ts'
import { hugetlb } from './hugetlb.ts'
import { memory, memoryOomControl } from './memory.ts'
import { pids } from './pids.ts'

/** Reads what the controllers tell of a cgroup. @param directories by controller */
export async function cgroupV1Metrics(directories: ReadonlyMap<string, string>): Promise<CgroupV1Metrics> {
  const files = (controller: string) => {
    const directory = directories.get(controller)
    return directory === undefined ? undefined : new CgroupFiles(directory)
  }
  const of = async <T>(controller: string, read: (files: CgroupFiles) => Promise<T>) => {
    const there = files(controller)
    return there === undefined ? undefined : read(there)
  }
  const parts = await Promise.all([
    of('hugetlb', hugetlb),
    of('pids', pids),
    cpu(files('cpu'), files('cpuacct')),
    of('memory', memory),
    of('memory', memoryOomControl),
    of('blkio', blkio),
    of('rdma', rdma),
  ])
  return {
    hugetlb: parts[0] ?? [],
    pids: parts[1],
    cpu: parts[2],
    memory: parts[3],
    memoryOomControl: parts[4],
    blkio: parts[5],
    rdma: parts[6],
    network: [],
  }
}
