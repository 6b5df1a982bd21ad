import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'

/** Type of an OCI process as JSON. */
const processType = 'types.containerd.io/opencontainers/runtime-spec/1/Process'

/** The part of an OCI spec that says how a process is run, as far as it is changed here. */
export interface OciProcess extends Readonly<Record<string, unknown>> {
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  readonly cwd?: string
  readonly terminal?: boolean
}

/** The first process of an OCI spec as a container has it. @throws `invalid_argument` if it has none */
export function processOfSpec(spec: OpaqueValue, containerId: string): OciProcess {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(spec.value))
  } catch (cause) {
    throw new NsboxError('invalid_argument', `container ${containerId}: its spec is no JSON`, { cause })
  }
  const process = (parsed as { process?: unknown } | null)?.process
  if (typeof process !== 'object' || process === null) {
    throw new NsboxError('invalid_argument', `container ${containerId}: its spec has no process`)
  }
  return process as OciProcess
}

/** A process for a request. */
export function processMessage(process: OciProcess): OpaqueValue {
  return { typeUrl: processType, value: new TextEncoder().encode(JSON.stringify(process)) }
}
