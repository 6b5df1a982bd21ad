import type { OpaqueValue } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'

/**
 * The spec of a copy of a container: what bears the container's id or is its alone becomes the copy's.
 *
 * - The cgroup is one beside the container's, named after the copy; the runtime's choice if that was so before.
 * - The hostname is the copy's id, where the container has a UTS namespace of its own.
 * - `HOSTNAME` follows for processes that are added later; those that go on keep the variables they had.
 *
 * Everything else stays, so mounts of the host's directories are shared.
 *
 * @throws `invalid_argument` for what is no OCI spec
 */
export async function copySpec(spec: OpaqueValue, from: string, to: string): Promise<OpaqueValue> {
  // Loaded only here: few of those who connect to a server look into specs.
  const { encodeSpec, parseSpec } = await import('@nsbox/oci/runtime-spec')
  const { process, linux, hostname, ...rest } = parseSpec(spec.value)
  if (linux === undefined) throw new NsboxError('invalid_argument', `container ${from} is none of Linux`)
  const { cgroupsPath, namespaces = [] } = linux
  const named = namespaces.some(({ type, path }) => type === 'uts' && !path)
  const env = process?.env?.map((variable) =>
    variable === `HOSTNAME=${hostname}` || variable === `HOSTNAME=${from}` ? `HOSTNAME=${to}` : variable,
  )
  const copy = {
    ...rest,
    ...((named || hostname !== undefined) && { hostname: named ? to : hostname }),
    ...(process && { process: { ...process, ...(env && { env }) } }),
    linux: { ...linux, ...(cgroupsPath && { cgroupsPath: besides(cgroupsPath, to) }) },
  }
  return { typeUrl: spec.typeUrl, value: encodeSpec(copy) }
}

/** A path of a cgroup, or systemd's `slice:prefix:name`, with another last part. */
function besides(path: string, name: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf(':')) + 1) + name
}
