import type * as v from 'valibot'
import { anyObject, anyTextMap, boolean, list, openFields, optional, text } from '../field-schema.ts'
import { idMappingSchema } from './id-mapping.ts'
import { integer32 } from './integer.ts'
import { linuxSchema } from './linux.ts'
import { processSchema } from './process.ts'

const rootSchema = openFields({
  /** Absolute, or relative to the bundle. */
  path: text,
  ...optional({ readonly: boolean }),
})

export interface Root extends v.InferOutput<typeof rootSchema> {}

const mountSchema = openFields({
  destination: text,
  ...optional({
    type: text,
    source: text,
    options: list(text),
    uidMappings: list(idMappingSchema),
    gidMappings: list(idMappingSchema),
  }),
})

export interface Mount extends v.InferOutput<typeof mountSchema> {}

const hookSchema = openFields({
  path: text,
  ...optional({
    args: list(text),
    env: list(text),
    /** Seconds. */
    timeout: integer32,
  }),
})

export interface Hook extends v.InferOutput<typeof hookSchema> {}

const hooksSchema = openFields(
  optional({
    prestart: list(hookSchema),
    createRuntime: list(hookSchema),
    createContainer: list(hookSchema),
    startContainer: list(hookSchema),
    poststart: list(hookSchema),
    poststop: list(hookSchema),
  }),
)

/** Programs of the host that the runtime starts at points of a container's life. */
export interface Hooks extends v.InferOutput<typeof hooksSchema> {}

/** The points of the specification; a foreign spec may have others with any value. */
export const hookPoints = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const satisfies readonly (keyof Hooks)[]

export const specSchema = openFields({
  ociVersion: text,
  ...optional({
    process: processSchema,
    root: rootSchema,
    hostname: text,
    domainname: text,
    mounts: list(mountSchema),
    hooks: hooksSchema,
    annotations: anyTextMap,
    linux: linuxSchema,
    /** Kept unchanged. */
    windows: anyObject,
  }),
})

/**
 * The parts of a container's `config.json` (OCI runtime specification 1.2, config.md) that nsbox reads or writes, with
 * the specification's names. A value may have more fields than are declared here: options and `parseSpec` keep them.
 *
 * Integers that a double cannot hold, such as the limit "infinity" of a resource, are bigints; see `encodeSpec`.
 */
export interface Spec extends v.InferOutput<typeof specSchema> {}
