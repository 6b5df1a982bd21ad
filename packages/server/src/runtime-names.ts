/** What clients call the only runtime by default. */
export const runtimeName = 'io.containerd.runc.v2'

/** Older names are accepted for the same, since nothing in them differs for a client. */
const names: readonly string[] = [runtimeName, 'io.containerd.runc.v1', 'io.containerd.runtime.v1.linux']

export function isRuntimeName(name: string): boolean {
  return names.includes(name)
}
