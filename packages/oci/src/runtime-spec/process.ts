import * as v from 'valibot'
import { boolean, list, openFields, optional, text } from '../field-schema.ts'
import { integer, integer32 } from './integer.ts'

const userSchema = openFields({
  // Go's decoder reads a missing value as zero.
  uid: v.optional(integer32, 0),
  gid: v.optional(integer32, 0),
  ...optional({
    umask: integer32,
    /** The process's supplementary groups. */
    additionalGids: list(integer32),
  }),
})

export interface User extends v.InferOutput<typeof userSchema> {}

const capabilitiesSchema = openFields(
  optional({
    bounding: list(text),
    effective: list(text),
    inheritable: list(text),
    permitted: list(text),
    ambient: list(text),
  }),
)

/** The capability sets of capabilities(7), by names such as `CAP_CHOWN`. */
export interface Capabilities extends v.InferOutput<typeof capabilitiesSchema> {}

/** The sets of the specification; a foreign spec may have others with any value. */
export const capabilitySets = [
  'bounding',
  'effective',
  'inheritable',
  'permitted',
  'ambient',
] as const satisfies readonly (keyof Capabilities)[]

const rlimitSchema = openFields({ type: text, hard: integer, soft: integer })

/** A limit of getrlimit(2), such as `RLIMIT_NOFILE`. */
export interface Rlimit extends v.InferOutput<typeof rlimitSchema> {}

/** A `process` of a spec, which a client also sends to run one more. */
export const processSchema = openFields({
  user: v.optional(userSchema, {}),
  cwd: text,
  ...optional({
    terminal: boolean,
    consoleSize: openFields({ height: integer32, width: integer32 }),
    args: list(text),
    /** `NAME=value` each. */
    env: list(text),
    capabilities: capabilitiesSchema,
    rlimits: list(rlimitSchema),
    noNewPrivileges: boolean,
    apparmorProfile: text,
    selinuxLabel: text,
    oomScoreAdj: integer32,
    ioPriority: openFields({ class: text, priority: integer32 }),
  }),
})

/** The process of a container, or a further one to run in it. */
export interface Process extends v.InferOutput<typeof processSchema> {}
