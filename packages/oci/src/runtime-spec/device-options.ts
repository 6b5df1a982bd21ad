import type { Device } from './linux.ts'
import { changeResources } from './resource-options.ts'
import type { DeviceRule } from './resources.ts'
import { changeLinux, type SpecOption } from './spec-option.ts'

// null, random, full, tty, zero, urandom, console, the ends of pseudo-terminals and their multiplexer; in this order in
// stock ctr.
const unixDevices: readonly (readonly [major: number, minor?: number])[] = [
  [1, 3],
  [1, 8],
  [1, 7],
  [5, 0],
  [1, 5],
  [1, 9],
  [5, 1],
  [136],
  [5, 2],
]

/**
 * Lets the container use the devices that every program expects and that the runtime makes. Stock `ctr` adds them to
 * every container, but not to what `ctr oci spec` shows, as `defaultSpec` does.
 */
export function withDefaultUnixDevices(): SpecOption {
  return withDeviceRules(
    unixDevices.map(([major, minor]) => ({
      allow: true,
      type: 'c',
      major,
      ...(minor !== undefined && { minor }),
      access: 'rwm',
    })),
  )
}

/** Adds rules; the last that matches a device decides. */
export function withDeviceRules(rules: readonly DeviceRule[]): SpecOption {
  return (spec) =>
    changeResources(spec, (resources) => ({
      ...resources,
      devices: [...(resources.devices ?? []), ...rules],
    }))
}

/** Makes devices in the container and allows it to use them; see `hostDevices`. */
export function withDevices(devices: readonly Device[], access = 'rwm'): SpecOption {
  const rules = devices.flatMap(({ type, major, minor }): DeviceRule[] =>
    type === 'p' ? [] : [{ allow: true, type: type === 'u' ? 'c' : type, major, minor, access }],
  )
  const allow = withDeviceRules(rules)
  return (spec) =>
    changeLinux(allow(spec), (linux) => ({ ...linux, devices: [...(linux.devices ?? []), ...devices] }))
}

/** Makes devices in the container and allows it every device there is. */
export function withAllDevices(devices: readonly Device[]): SpecOption {
  return (spec) =>
    changeLinux(
      changeResources(spec, (resources) => ({ ...resources, devices: [{ allow: true, access: 'rwm' }] })),
      (linux) => ({ ...linux, devices: [...(linux.devices ?? []), ...devices] }),
    )
}
