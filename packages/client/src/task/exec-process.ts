import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import type { Process } from '@nsbox/oci/runtime-spec'

/** Type of an OCI process as JSON. */
const processType = 'types.containerd.io/opencontainers/runtime-spec/1/Process'

/** How a process differs from the one that it is made of. */
export interface ProcessChanges {
  readonly args?: readonly string[] | undefined
  readonly env?: readonly string[] | undefined
  readonly cwd?: string | undefined
  readonly terminal: boolean
}

/**
 * A process for a request.
 *
 * @param base the container's spec, whose process is taken, or a process
 * @throws `invalid_argument` if the spec is none or has no process
 */
export async function execProcess(
  base: { readonly spec: OpaqueValue } | { readonly process: Process },
  { args, env = [], cwd, terminal }: ProcessChanges,
): Promise<OpaqueValue> {
  // Loaded only here: few of those who connect to a server run processes by specs of their own.
  const { encodeSpec, mergeEnv, parseSpec } = await import('@nsbox/oci/runtime-spec')
  const process = 'process' in base ? base.process : parseSpec(base.spec.value).process
  if (process === undefined)
    throw new NsboxError('invalid_argument', 'the spec of the container has no process')
  const changed: Process = {
    ...process,
    ...(args && { args }),
    ...(cwd !== undefined && { cwd }),
    ...(env.length > 0 && { env: mergeEnv(process.env ?? [], env) }),
    terminal,
  }
  return { typeUrl: processType, value: encodeSpec(changed) }
}

/** Whether the first process of a container has a terminal, as its spec says. */
export function specHasTerminal({ value }: OpaqueValue): boolean {
  let spec: { process?: { terminal?: unknown } | null } | null
  try {
    spec = JSON.parse(new TextDecoder().decode(value))
  } catch (cause) {
    throw new NsboxError('invalid_argument', 'the spec of the container is no JSON', { cause })
  }
  return spec?.process?.terminal === true
}
