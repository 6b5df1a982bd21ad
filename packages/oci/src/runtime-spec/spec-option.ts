import { NsboxError } from '@nsbox/errors'
import type { Linux } from './linux.ts'
import type { Process } from './process.ts'
import type { Spec } from './spec.ts'
import { validateSpec } from './validate-spec.ts'

/**
 * One option of a container: returns a changed spec and does not modify its argument. Other fields are kept, including
 * unknown ones. Options are applied in order, so a later one sees and may replace the changes of an earlier one.
 */
export type SpecOption = (spec: Spec) => Spec

/**
 * Applies options to a spec, usually `defaultSpec`, in order. The result shares no part with the spec or the options,
 * so that containers of one image cannot change each other (docs/threat-model.md B15), and passes `validateSpec`.
 *
 * @throws `invalid_argument`, naming the field
 */
export function buildSpec(base: Spec, options: readonly SpecOption[]): Spec {
  const spec = structuredClone(options.reduce((result, option) => option(result), base))
  validateSpec(spec)
  return spec
}

/** The spec with its process changed; if it has none, it gets one for root in `/`. */
export function changeProcess(spec: Spec, change: (process: Process) => Process): Spec {
  return { ...spec, process: change(spec.process ?? { user: { uid: 0, gid: 0 }, cwd: '/' }) }
}

/** The spec with its part for Linux changed. */
export function changeLinux(spec: Spec, change: (linux: Linux) => Linux): Spec {
  if (spec.windows !== undefined)
    throw new NsboxError('invalid_argument', 'spec: option for Linux, but the container is one of Windows')
  return { ...spec, linux: change(spec.linux ?? {}) }
}
