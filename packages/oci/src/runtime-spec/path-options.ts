import { changeLinux, type SpecOption } from './spec-option.ts'

/** Makes further paths unreadable in the container. The runtime skips missing ones. */
export function withMaskedPaths(paths: readonly string[]): SpecOption {
  return (spec) =>
    changeLinux(spec, (linux) => ({
      ...linux,
      maskedPaths: [...new Set([...(linux.maskedPaths ?? []), ...paths])],
    }))
}

/** Makes further paths unwritable in the container. */
export function withReadonlyPaths(paths: readonly string[]): SpecOption {
  return (spec) =>
    changeLinux(spec, (linux) => ({
      ...linux,
      readonlyPaths: [...new Set([...(linux.readonlyPaths ?? []), ...paths])],
    }))
}

/**
 * Hides hardware files that show a container the work of its neighbours: counts of interrupts and of thermal throttling
 * (docs/threat-model.md B19). Stock `ctr` 1.7 leaves them readable.
 *
 * @param processors number of processors of the host
 */
export function withMaskedHardware(processors: number): SpecOption {
  const throttling = Array.from(
    { length: processors },
    (_, number) => `/sys/devices/system/cpu/cpu${number}/thermal_throttle`,
  )
  return withMaskedPaths(['/proc/interrupts', ...throttling])
}
