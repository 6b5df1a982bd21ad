import type * as v from 'valibot'
import { parseStrictJson } from '../strict-json.ts'
import { refuse, validate } from '../validate.ts'
import { type Process, processSchema } from './process.ts'
import { type Resources, resourcesSchema } from './resources.ts'
import { type Seccomp, seccompSchema } from './seccomp.ts'
import { type Spec, specSchema } from './spec.ts'
import { validateSeccomp } from './validate-seccomp.ts'

/** Most bytes of a spec: 4 MiB, as many as one message of gRPC can have. */
export const maxSpecSize = 4 * 1024 * 1024

/**
 * Reads a `config.json`, or the spec of a client's container. Unknown fields are kept, known ones that are `null` are
 * dropped, integers that a double cannot hold become bigints. Refused if two readers could understand it differently
 * (see `parseStrictJson`), or if a field does not have its type. `validateSpec` checks the rest.
 *
 * @throws `invalid_argument`, naming the field
 */
export function parseSpec(bytes: Uint8Array): Spec {
  return parse(bytes, 'spec', specSchema)
}

/** As `parseSpec`, for a further process in a container. */
export function parseProcess(bytes: Uint8Array): Process {
  return parse(bytes, 'process', processSchema)
}

/** As `parseSpec`, for new limits of a task. */
export function parseResources(bytes: Uint8Array): Resources {
  return parse(bytes, 'resources', resourcesSchema)
}

/**
 * As `parseSpec`, for a filter of system calls in a user's file.
 *
 * @throws `invalid_argument` also for the format of Docker and Podman: the runtime does not know the conditions of its
 * rules, and would allow a call to everyone
 */
export function parseSeccompProfile(bytes: Uint8Array): Seccomp {
  const profile = parse(bytes, 'seccomp profile', seccompSchema)
  for (const [index, rule] of (profile.syscalls ?? []).entries()) {
    const condition = ['includes', 'excludes', 'minKernel'].find((name) =>
      isNotEmpty(rule[name as keyof typeof rule]),
    )
    if (condition !== undefined)
      throw refuse(
        `seccomp profile: syscalls[${index}].${condition}`,
        "is of Docker's format, not of the runtime's",
      )
  }
  validateSeccomp(profile, 'seccomp profile')
  return profile
}

const isNotEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.keys(value).length > 0
    : value !== undefined && value !== null

function parse<const S extends v.GenericSchema>(
  bytes: Uint8Array,
  name: string,
  schema: S,
): v.InferOutput<S> {
  if (bytes.byteLength > maxSpecSize) throw refuse(name, `more than ${maxSpecSize} bytes`)
  return validate(schema, parseStrictJson(bytes, name, { bigIntegers: true }), name)
}

/** The bytes of a `config.json`, or of a part of one: JSON, with bigints as plain integers. */
export function encodeSpec(spec: Spec | Process | Resources | Seccomp): Uint8Array {
  return new TextEncoder().encode(encode(spec) ?? 'null')
}

function encode(value: unknown): string | undefined {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${value.map((entry) => encode(entry) ?? 'null').join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).flatMap(([key, field]) => {
    const text = encode(field)
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`]
  })
  return `{${fields.join(',')}}`
}
