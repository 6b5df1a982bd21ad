import { NsboxError } from '@nsbox/errors'
import type { Linux } from './linux.ts'
import type { Process } from './process.ts'
import type { Spec } from './spec.ts'
import { validateSpec } from './validate-spec.ts'

/**
 * One option of a container: returns a changed spec and does not modify its argument. Other fields stay, unknown ones
 * included. Options are applied in their order, so a later one sees and may replace what an earlier one did.
 */
export type SpecOption = (spec: Spec) => Spec

/**
 * Applies options to a spec, usually `defaultSpec`, in their order. The result shares no part with the spec or with
 * what the options were made from, so that containers of one image cannot change each other (docs/threat-model.md B15),
 * and keeps what `validateSpec` demands.
 *
 * @throws `invalid_argument`, naming the field
 */
export function buildSpec(base: Spec, options: readonly SpecOption[]): Spec {
  const spec = structuredClone(options.reduce((result, option) => option(result), base))
  validateSpec(spec)
  return spec
}

/** The spec with its process changed; one that has none gets root in `/`. */
export function changeProcess(spec: Spec, change: (process: Process) => Process): Spec {
  return { ...spec, process: change(spec.process ?? { user: { uid: 0, gid: 0 }, cwd: '/' }) }
}

/** The spec with its part for Linux changed. */
export function changeLinux(spec: Spec, change: (linux: Linux) => Linux): Spec {
  if (spec.windows !== undefined)
    throw new NsboxError('invalid_argument', 'spec: option for Linux, but the container is one of Windows')
  return { ...spec, linux: change(spec.linux ?? {}) }
}
