import { NsboxError } from '@nsbox/errors'
import type { Integer } from './integer.ts'
import type { BlockIo, CpuResources, MemoryResources, Resources } from './resources.ts'
import type { Spec } from './spec.ts'
import { changeLinux, type SpecOption } from './spec-option.ts'

/** The spec with the limits of its cgroup changed. */
export function changeResources(spec: Spec, change: (resources: Resources) => Resources): Spec {
  return changeLinux(spec, (linux) => ({ ...linux, resources: change(linux.resources ?? {}) }))
}

/** Most memory, in bytes. */
export function withMemoryLimit(bytes: Integer): SpecOption {
  return withMemory({ limit: bytes })
}

export function withMemory(memory: MemoryResources): SpecOption {
  return (spec) =>
    changeResources(spec, (resources) => ({ ...resources, memory: { ...resources.memory, ...memory } }))
}

export function withCpu(cpu: CpuResources): SpecOption {
  return (spec) => changeResources(spec, (resources) => ({ ...resources, cpu: { ...resources.cpu, ...cpu } }))
}

/**
 * A limit of processor time, in processors; fractions count to a hundred-thousandth.
 *
 * @throws `invalid_argument` unless it is a positive number, and at least a hundredth: the kernel refuses less
 */
export function withCpus(processors: number): SpecOption {
  const period = 100_000
  if (!(processors >= 0.01 && processors <= 1_000_000))
    throw new NsboxError('invalid_argument', `cpus ${processors}: out of the range 0.01 to 1000000`)
  return withCpu({ quota: Math.round(processors * period), period })
}

/** Weight of the container's processes against those of others; 1024 is normal. */
export function withCpuShares(shares: Integer): SpecOption {
  return withCpu({ shares })
}

/** Microseconds of processor time that the container may use in each period; -1 for no limit. */
export function withCpuQuota(microseconds: Integer): SpecOption {
  return withCpu({ quota: microseconds })
}

/** Microseconds. */
export function withCpuPeriod(microseconds: Integer): SpecOption {
  return withCpu({ period: microseconds })
}

/** Which processors the container may run on, such as `0-2,7`. */
export function withCpusetCpus(cpus: string): SpecOption {
  return withCpu({ cpus })
}

/** Which memory nodes the container may use. */
export function withCpusetMems(mems: string): SpecOption {
  return withCpu({ mems })
}

/** Most processes and threads. */
export function withPidsLimit(limit: Integer): SpecOption {
  return (spec) => changeResources(spec, (resources) => ({ ...resources, pids: { limit } }))
}

/** Weights and limits of input and output on block devices. */
export function withBlockIo(blockIO: BlockIo): SpecOption {
  return (spec) => changeResources(spec, (resources) => ({ ...resources, blockIO }))
}

/** Path of the container's cgroup; `undefined` leaves the choice to the runtime. */
export function withCgroup(path: string | undefined): SpecOption {
  return (spec) =>
    changeLinux(spec, ({ cgroupsPath: _, ...linux }) => (path ? { ...linux, cgroupsPath: path } : linux))
}

/** A class of Intel's resource director, which the host must have mounted (`/sys/fs/resctrl`). */
export function withRdtClass(closID: string): SpecOption {
  return (spec) => changeLinux(spec, (linux) => ({ ...linux, intelRdt: { ...linux.intelRdt, closID } }))
}
