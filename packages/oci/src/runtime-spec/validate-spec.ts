import { quoted } from '@nsbox/errors'
import { refuse, validate } from '../validate.ts'
import { hookPoints, type Mount, type Spec, specSchema } from './spec.ts'
import { assertAbsolutePath, validateLinux } from './validate-linux.ts'
import { validateProcess } from './validate-process.ts'

/**
 * Checks the rules that every spec of `buildSpec` keeps. The runtime would refuse most violations as well, later and
 * with its own texts; some it would accept, with an unintended effect.
 *
 * - every field has its type; the version is 1.x
 * - a process with a program, an absolute working directory that is the container's own, variables with names, ids of
 *   32 bits, capabilities that nest as the kernel demands, each limit once and no soft one above its hard one
 * - no NUL where a C string is made of a value; paths inside are absolute, and mounts do not leave by `..`
 * - each namespace once; mappings only with a user namespace, a host name only with a UTS namespace
 * - conditions of a filter of system calls that libseccomp understands
 *
 * @throws `invalid_argument`, naming the field
 */
export function validateSpec(given: Spec): void {
  const spec = validate(specSchema, given, 'spec')
  if (!/^1\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]*)?$/.test(spec.ociVersion))
    throw refuse('spec: ociVersion', `${quoted(spec.ociVersion)} is not a version 1.x`)
  if (spec.process === undefined) throw refuse('spec: process', 'is missing')
  validateProcess(spec.process, 'spec: process', { windows: spec.windows !== undefined })
  if (!spec.root?.path || spec.root.path.includes('\0')) throw refuse('spec: root.path', 'is not a path')
  for (const [index, mount] of (spec.mounts ?? []).entries()) validateMount(mount, `spec: mounts[${index}]`)
  for (const point of hookPoints) {
    for (const [index, { path }] of (spec.hooks?.[point] ?? []).entries())
      assertAbsolutePath(path, `spec: hooks.${point}[${index}].path`)
  }
  for (const key of Object.keys(spec.annotations ?? {}))
    if (key === '') throw refuse('spec: annotations', 'has an empty key')
  if (spec.hostname !== undefined) validateHostname(spec)
  if (spec.linux !== undefined) validateLinux(spec.linux)
}

function validateMount({ destination, type, source, options }: Mount, field: string): void {
  assertAbsolutePath(destination, `${field}.destination`)
  if (destination.split('/').includes('..'))
    throw refuse(`${field}.destination`, `${quoted(destination)} has ".."`)
  for (const [name, text] of Object.entries({ type, source }))
    if (text?.includes('\0')) throw refuse(`${field}.${name}`, 'has a NUL')
  for (const [index, option] of (options ?? []).entries())
    if (option.includes('\0')) throw refuse(`${field}.options[${index}]`, 'has a NUL')
}

function validateHostname({ hostname, linux }: Spec): void {
  // sethostname(2): 64 bytes. Anything but a label could become several lines of a file (docs/threat-model.md B16).
  if (!/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,63})$/.test(hostname!))
    throw refuse('spec: hostname', `${quoted(hostname)} is not a host name`)
  if (linux && !linux.namespaces?.some(({ type }) => type === 'uts'))
    throw refuse('spec: hostname', 'needs a UTS namespace, or it would be set for the host')
}
