import { NsboxError } from '@nsbox/errors'
import { quoted } from '../quoted.ts'
import type { Mount } from './spec.ts'
import { changeLinux, type SpecOption } from './spec-option.ts'

/** Adds mounts, in their order, after those that are there. */
export function withMounts(mounts: readonly Mount[]): SpecOption {
  return (spec) => ({ ...spec, mounts: [...(spec.mounts ?? []), ...mounts] })
}

/** Removes the mounts at these places inside. */
export function withoutMounts(destinations: readonly string[]): SpecOption {
  return (spec) => ({
    ...spec,
    mounts: (spec.mounts ?? []).filter(({ destination }) => !destinations.includes(destination)),
  })
}

/** A file or directory of the host's with all that is mounted below it; read-only by default. */
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
 * How mounts and unmounts below the root file system pass between host and container (mount_namespaces(7)).
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

/** Makes paths unreadable inside, beside those that are already. Those that do not exist are skipped by the runtime. */
export function withMaskedPaths(paths: readonly string[]): SpecOption {
  return (spec) =>
    changeLinux(spec, (linux) => ({
      ...linux,
      maskedPaths: [...new Set([...(linux.maskedPaths ?? []), ...paths])],
    }))
}

/** Makes paths unwritable inside, beside those that are already. */
export function withReadonlyPaths(paths: readonly string[]): SpecOption {
  return (spec) =>
    changeLinux(spec, (linux) => ({
      ...linux,
      readonlyPaths: [...new Set([...(linux.readonlyPaths ?? []), ...paths])],
    }))
}

/**
 * Hides what tells a container about the work of its neighbours through the hardware: counts of interrupts and of
 * thermal throttling (HOSTILE B19). Stock `ctr` 1.7 leaves them readable.
 *
 * @param processors how many the host has
 */
export function withMaskedHardware(processors: number): SpecOption {
  const throttling = Array.from(
    { length: processors },
    (_, number) => `/sys/devices/system/cpu/cpu${number}/thermal_throttle`,
  )
  return withMaskedPaths(['/proc/interrupts', ...throttling])
}
