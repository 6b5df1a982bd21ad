import type * as v from 'valibot'
import { anyObject, anyTextMap, boolean, list, openFields, optional, text, word } from '../field-schema.ts'
import { integer, integer32 } from './integer.ts'

const deviceRuleSchema = openFields({
  allow: boolean,
  ...optional({
    /** All if absent. */
    type: word<'a' | 'b' | 'c'>(),
    /** All if absent. */
    major: integer,
    /** All if absent. */
    minor: integer,
    /** Of `r`, `w` and `m` (mknod). */
    access: text,
  }),
})

/** The last rule that matches a device decides. */
export interface DeviceRule extends v.InferOutput<typeof deviceRuleSchema> {}

const memorySchema = openFields(
  optional({
    limit: integer,
    reservation: integer,
    /** Memory and swap together. */
    swap: integer,
    kernel: integer,
    kernelTCP: integer,
    swappiness: integer32,
    disableOOMKiller: boolean,
    useHierarchy: boolean,
    checkBeforeUpdate: boolean,
  }),
)

/** Bytes each. */
export interface MemoryResources extends v.InferOutput<typeof memorySchema> {}

const cpuSchema = openFields(
  optional({
    /** Weight against other cgroups; 2 to 262144. */
    shares: integer,
    /** Microseconds of processor time in each period. */
    quota: integer,
    burst: integer,
    /** Microseconds. */
    period: integer,
    realtimeRuntime: integer,
    realtimePeriod: integer,
    /** Processors, such as `0-2,7`. */
    cpus: text,
    /** Memory nodes. */
    mems: text,
    idle: integer,
  }),
)

export interface CpuResources extends v.InferOutput<typeof cpuSchema> {}

const weightSchema = openFields(
  optional({ major: integer32, minor: integer32, weight: integer32, leafWeight: integer32 }),
)

export interface BlockIoWeight extends v.InferOutput<typeof weightSchema> {}

const throttleSchema = openFields({
  major: integer32,
  minor: integer32,
  /** Bytes or operations a second. */
  rate: integer,
})

export interface BlockIoThrottle extends v.InferOutput<typeof throttleSchema> {}

const blockIoSchema = openFields(
  optional({
    weight: integer32,
    leafWeight: integer32,
    weightDevice: list(weightSchema),
    throttleReadBpsDevice: list(throttleSchema),
    throttleWriteBpsDevice: list(throttleSchema),
    throttleReadIOPSDevice: list(throttleSchema),
    throttleWriteIOPSDevice: list(throttleSchema),
  }),
)

export interface BlockIo extends v.InferOutput<typeof blockIoSchema> {}

/** The `linux.resources` of a spec, which a client also sends to change the limits of a task. */
export const resourcesSchema = openFields(
  optional({
    devices: list(deviceRuleSchema),
    memory: memorySchema,
    cpu: cpuSchema,
    /** Most processes and threads; -1 for no limit. */
    pids: openFields({ limit: integer }),
    blockIO: blockIoSchema,
    hugepageLimits: list(openFields({ pageSize: text, limit: integer })),
    network: anyObject,
    rdma: anyObject,
    /** Files of a cgroup v2 directory with their new contents. */
    unified: anyTextMap,
  }),
)

/** Limits of a container, enforced by its cgroup; also the payload of a task's update. */
export interface Resources extends v.InferOutput<typeof resourcesSchema> {}
