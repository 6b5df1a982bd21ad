import { NsboxError, quoted } from '@nsbox/errors'
import type { Mount } from './spec.ts'
import { changeLinux, type SpecOption } from './spec-option.ts'

/** Adds mounts, in order, after existing ones. */
export function withMounts(mounts: readonly Mount[]): SpecOption {
  return (spec) => ({ ...spec, mounts: [...(spec.mounts ?? []), ...mounts] })
}

/** Removes the mounts at these places. */
export function withoutMounts(destinations: readonly string[]): SpecOption {
  return (spec) => ({
    ...spec,
    mounts: (spec.mounts ?? []).filter(({ destination }) => !destinations.includes(destination)),
  })
}

/** A bind mount of a file or directory of the host with all mounts below it; read-only by default. */
export function bindMount(
  source: string,
  destination: string,
  { readonly = true }: { readonly readonly?: boolean } = {},
): Mount {
  return { destination, type: 'bind', source, options: ['rbind', readonly ? 'ro' : 'rw'] }
}

const propagations = [
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
  'unbindable',
  'runbindable',
]

/**
 * How mounts in the root file system propagate between host and container (mount_namespaces(7)).
 *
 * @throws `invalid_argument` for a word that is not one of the eight
 */
export function withRootfsPropagation(propagation: string): SpecOption {
  if (!propagations.includes(propagation)) {
    throw new NsboxError(
      'invalid_argument',
      `propagation of the root file system: ${quoted(propagation)} is not one of ${propagations.join(', ')}`,
    )
  }
  return (spec) => changeLinux(spec, (linux) => ({ ...linux, rootfsPropagation: propagation }))
}
