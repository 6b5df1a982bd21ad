/**
 * The names under which clients know runc, which runs under the server's own supervisor. Nothing in them differs for a
 * client; all other names are of shims.
 */
const names: readonly string[] = [
  'io.containerd.runc.v2',
  'io.containerd.runc.v1',
  'io.containerd.runtime.v1.linux',
]

export function isRuntimeName(name: string): boolean {
  return names.includes(name)
}
