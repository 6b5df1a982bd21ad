import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { toTimestamp } from '@nsbox/api'
import type { SandboxSchema } from '@nsbox/api/gen/types/sandbox_pb'
import type { OpaqueValue } from '@nsbox/core/containers'
import type { NewSandbox, Sandbox } from '@nsbox/core/sandboxes'

/** A sandbox of a request; any field may be missing. Times are left out: the server sets them. */
export function fromSandboxMessage(sandbox: MessageShape<typeof SandboxSchema>): NewSandbox {
  const { sandboxId, labels, runtime, spec, sandboxer } = sandbox
  const options = runtime?.options && fromAny(runtime.options)
  return {
    ...{ id: sandboxId, labels, sandboxer },
    ...(runtime && { runtime: { name: runtime.name, ...(options && { options }) } }),
    ...(spec && { spec: fromAny(spec) }),
    extensions: Object.fromEntries(
      Object.entries(sandbox.extensions).map(([name, extension]) => [name, fromAny(extension)]),
    ),
  }
}

export function toSandboxMessage(sandbox: Sandbox): MessageInitShape<typeof SandboxSchema> {
  const { id, createdAt, updatedAt, labels, extensions, runtime, spec, sandboxer } = sandbox
  return {
    ...{ sandboxId: id, runtime, sandboxer },
    ...(spec && { spec }),
    labels: { ...labels },
    extensions: { ...extensions },
    createdAt: toTimestamp(createdAt),
    updatedAt: toTimestamp(updatedAt),
  }
}

const fromAny = ({ typeUrl, value }: OpaqueValue): OpaqueValue => ({ typeUrl, value })
