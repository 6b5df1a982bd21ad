import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { encodeSpec, hostAccess, parseSpec, type Spec, validateSpec } from '@nsbox/oci/runtime-spec'

/** Type of an OCI spec as JSON. */
const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'

/** How many things an error names; a hostile spec could have any number. */
const maxNamed = 8

/** The container that the spec is for, and whether it is trusted. */
export interface RestoredSpecOptions {
  readonly id: string
  readonly namespace: string
  /** Whether its author may make any container. */
  readonly trusted: boolean
}

/**
 * The spec of a restored container: that of a checkpoint, with a cgroup of its own. Its author may be a stranger
 * (docs/threat-model.md D11): unless it is trusted, it may reach nothing of the host beyond the default spec, and
 * annotations, which instruct programs on the host, are left out.
 *
 * @throws `invalid_argument` for a malformed spec; `permission_denied` naming what it reaches
 */
export function restoredSpec(given: OpaqueValue, options: RestoredSpecOptions): OpaqueValue {
  const { annotations, ...rest } = withOwnCgroup(parseSpec(given.value), options)
  const { trusted } = options
  const restored: Spec = trusted && annotations ? { ...rest, annotations } : rest
  validateSpec(restored)
  if (!trusted) refuseAccess(hostAccess(restored), 'its spec')
  return { typeUrl: specType, value: encodeSpec(restored) }
}

/** @throws `permission_denied` if there is any */
export function refuseAccess(access: readonly string[], whose: string): void {
  if (access.length === 0) return
  const others = access.length - maxNamed
  const named = access.slice(0, maxNamed).map((each) => each.slice(0, 200))
  const what = `${named.join(', ')}${others > 0 ? ` and ${others} more` : ''}`
  throw new NsboxError(
    'permission_denied',
    `a checkpoint that is not trusted asks for access to the host, by ${whose}: ${what}`,
  )
}

/**
 * The cgroup of the checkpointed container may still be in use. A systemd cgroup, `slice:prefix:name`, keeps its slice.
 */
function withOwnCgroup(spec: Spec, { id, namespace, trusted }: RestoredSpecOptions): Spec {
  if (spec.linux === undefined) return spec
  const [slice, prefix, name, ...more] = (spec.linux.cgroupsPath ?? '').split(':')
  const systemd = trusted && name !== undefined && more.length === 0
  const cgroupsPath = systemd ? `${slice}:${prefix}:${id}` : `/${namespace}/${id}`
  return { ...spec, linux: { ...spec.linux, cgroupsPath } }
}
