/**
 * What clients call the only runtime. The older names are accepted for the same, since nothing in them differs for a
 * client.
 */
const names: readonly string[] = [
  'io.containerd.runc.v2',
  'io.containerd.runc.v1',
  'io.containerd.runtime.v1.linux',
]

export function isRuntimeName(name: string): boolean {
  return names.includes(name)
}
