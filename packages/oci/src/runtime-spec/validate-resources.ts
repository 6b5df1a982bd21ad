import { quoted } from '@nsbox/errors'
import { refuse } from '../validate.ts'
import type { Resources } from './resources.ts'
import { validateDeviceRule } from './validate-device-rule.ts'

/**
 * The part of `validateSpec` for limits, including those of an update. The bounds are the kernel's.
 *
 * @param field names them in errors, such as `spec: linux.resources`
 * @throws `invalid_argument`, naming the field
 */
export function validateResources(
  { devices, memory = {}, cpu = {}, pids, unified }: Resources,
  field: string,
): void {
  for (const [index, rule] of (devices ?? []).entries())
    validateDeviceRule(rule, `${field}.devices[${index}]`)
  // -1 and 0 mean no limit for the runtime.
  for (const name of ['limit', 'reservation', 'swap', 'kernel', 'kernelTCP'] as const) {
    const bytes = memory[name]
    if (bytes !== undefined && bytes < -1) throw refuse(`${field}.memory.${name}`, `${bytes} is negative`)
  }
  const { shares, quota, period, cpus, mems } = cpu
  if (shares !== undefined && shares < 0) throw refuse(`${field}.cpu.shares`, `${shares} is negative`)
  if (period !== undefined && period !== 0 && !(period >= 1000 && period <= 1_000_000))
    throw refuse(`${field}.cpu.period`, `${period} is out of the range 1000 to 1000000 microseconds`)
  if (quota !== undefined && quota > 0 && quota < 1000)
    throw refuse(`${field}.cpu.quota`, `${quota} is below 1000 microseconds`)
  for (const [name, list] of Object.entries({ cpus, mems })) {
    if (list !== undefined && !/^(?:[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*)?$/.test(list))
      throw refuse(`${field}.cpu.${name}`, `${quoted(list)} is not of the form 0-2,7`)
  }
  if (pids && pids.limit < -1) throw refuse(`${field}.pids.limit`, `${pids.limit} is negative`)
  for (const [file, value] of Object.entries(unified ?? {})) {
    // The file must be in the cgroup's own directory, however the runtime reads the name.
    if (file.includes('/') || file === '.' || file === '..' || /\p{Cc}/u.test(file) || value.includes('\0'))
      throw refuse(`${field}.unified[${quoted(file)}]`, 'is not a file of a cgroup')
  }
}
