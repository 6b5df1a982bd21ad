import { changeLinux, type SpecOption } from './spec-option.ts'

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
 * thermal throttling (docs/threat-model.md B19). Stock `ctr` 1.7 leaves them readable.
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
