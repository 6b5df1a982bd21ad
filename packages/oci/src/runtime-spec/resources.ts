import type { Integer } from './integer.ts'

/** What a container may use, enforced by its cgroup; also the payload of a task's update. */
export interface Resources {
  readonly devices?: readonly DeviceRule[] | undefined
  readonly memory?: MemoryResources | undefined
  readonly cpu?: CpuResources | undefined
  /** Most processes and threads; -1 for no limit. */
  readonly pids?: { readonly limit: Integer } | undefined
  readonly blockIO?: BlockIo | undefined
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Integer }[] | undefined
  readonly network?: Readonly<Record<string, unknown>> | undefined
  readonly rdma?: Readonly<Record<string, unknown>> | undefined
  /** Files of a cgroup v2 directory and what is written to them. */
  readonly unified?: Readonly<Record<string, string>> | undefined
}

/** The last rule that matches a device decides. */
export interface DeviceRule {
  readonly allow: boolean
  /** All if absent. */
  readonly type?: 'a' | 'b' | 'c' | undefined
  /** All if absent. */
  readonly major?: number | undefined
  /** All if absent. */
  readonly minor?: number | undefined
  /** Of `r`, `w` and `m` (mknod). */
  readonly access?: string | undefined
}

/** Bytes each. */
export interface MemoryResources {
  readonly limit?: Integer | undefined
  readonly reservation?: Integer | undefined
  /** Memory and swap together. */
  readonly swap?: Integer | undefined
  readonly kernel?: Integer | undefined
  readonly kernelTCP?: Integer | undefined
  readonly swappiness?: number | undefined
  readonly disableOOMKiller?: boolean | undefined
  readonly useHierarchy?: boolean | undefined
  readonly checkBeforeUpdate?: boolean | undefined
}

export interface CpuResources {
  /** Weight against other cgroups; 2 to 262144. */
  readonly shares?: Integer | undefined
  /** Microseconds of processor time in each period. */
  readonly quota?: Integer | undefined
  readonly burst?: Integer | undefined
  /** Microseconds. */
  readonly period?: Integer | undefined
  readonly realtimeRuntime?: Integer | undefined
  readonly realtimePeriod?: Integer | undefined
  /** Processors, such as `0-2,7`. */
  readonly cpus?: string | undefined
  /** Memory nodes. */
  readonly mems?: string | undefined
  readonly idle?: Integer | undefined
}

export interface BlockIo {
  readonly weight?: number | undefined
  readonly leafWeight?: number | undefined
  readonly weightDevice?: readonly BlockIoWeight[] | undefined
  readonly throttleReadBpsDevice?: readonly BlockIoThrottle[] | undefined
  readonly throttleWriteBpsDevice?: readonly BlockIoThrottle[] | undefined
  readonly throttleReadIOPSDevice?: readonly BlockIoThrottle[] | undefined
  readonly throttleWriteIOPSDevice?: readonly BlockIoThrottle[] | undefined
}

export interface BlockIoWeight {
  readonly major: number
  readonly minor: number
  readonly weight?: number | undefined
  readonly leafWeight?: number | undefined
}

export interface BlockIoThrottle {
  readonly major: number
  readonly minor: number
  /** Bytes or operations a second. */
  readonly rate: Integer
}
