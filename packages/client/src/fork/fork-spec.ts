import type { OpaqueValue } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'

/**
 * The spec of a copy of a container. It differs in the parts that belong to one container:
 *
 * - The cgroup is one beside the container's, named after the copy; without one in the spec, the runtime chooses.
 * - The hostname is the copy's id, where the container has a UTS namespace of its own.
 * - `HOSTNAME` is changed for processes that are added later; restored ones keep their variables.
 *
 * Mounts of the host's directories are shared.
 *
 * @throws `invalid_argument` for a malformed OCI spec
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
