import type * as v from 'valibot'
import { anyTextMap, boolean, list, openFields, optional, text, word } from '../field-schema.ts'
import { idMappingSchema } from './id-mapping.ts'
import { integer, integer32 } from './integer.ts'
import { resourcesSchema } from './resources.ts'
import { seccompSchema } from './seccomp.ts'

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

const namespaceSchema = openFields({ type: word<NamespaceType>(), ...optional({ path: text }) })

/** A namespace of the container's own; without a path it is a new one. For a missing type, the host's is used. */
export interface Namespace extends v.InferOutput<typeof namespaceSchema> {}

const deviceSchema = openFields({
  path: text,
  /** Character device (buffered or not), block device, FIFO. */
  type: word<'c' | 'u' | 'b' | 'p'>(),
  ...optional({
    major: integer,
    minor: integer,
    /** Permission bits. */
    fileMode: integer32,
    uid: integer32,
    gid: integer32,
  }),
})

export interface Device extends v.InferOutput<typeof deviceSchema> {}

const intelRdtSchema = openFields(
  optional({
    closID: text,
    l3CacheSchema: text,
    memBwSchema: text,
    enableCMT: boolean,
    enableMBM: boolean,
  }),
)

/** A class of Intel's resource director: shares of cache and memory bandwidth. */
export interface IntelRdt extends v.InferOutput<typeof intelRdtSchema> {}

export const linuxSchema = openFields(
  optional({
    uidMappings: list(idMappingSchema),
    gidMappings: list(idMappingSchema),
    sysctl: anyTextMap,
    resources: resourcesSchema,
    /** Absolute: below the root of the cgroup file system; `slice:prefix:name` with systemd's driver. */
    cgroupsPath: text,
    namespaces: list(namespaceSchema),
    /** Made in the container's `/dev`, beside those that every container has. */
    devices: list(deviceSchema),
    seccomp: seccompSchema,
    rootfsPropagation: text,
    /** Unreadable for the container. */
    maskedPaths: list(text),
    readonlyPaths: list(text),
    mountLabel: text,
    intelRdt: intelRdtSchema,
  }),
)

/** The part for Linux (config-linux.md of the runtime specification). */
export interface Linux extends v.InferOutput<typeof linuxSchema> {}
