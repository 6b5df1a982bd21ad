import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import { toTimestamp } from '@nsbox/api'
import type { ContainerSchema } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import type { Container, ContainerChange, OpaqueValue } from '@nsbox/core/containers'

/** A container of a request; any field may be missing. Times are left out: the server sets them. */
export function fromContainerMessage(container: MessageShape<typeof ContainerSchema>): ContainerChange {
  const { id, labels, image, runtime, spec, snapshotter, snapshotKey, sandbox } = container
  const options = runtime?.options && fromAny(runtime.options)
  return {
    ...{ id, labels, image, snapshotter, snapshotKey, sandbox },
    ...(runtime && { runtime: { name: runtime.name, ...(options && { options }) } }),
    ...(spec && { spec: fromAny(spec) }),
    extensions: Object.fromEntries(
      Object.entries(container.extensions).map(([name, extension]) => [name, fromAny(extension)]),
    ),
  }
}

export function toContainerMessage(container: Container): MessageInitShape<typeof ContainerSchema> {
  return {
    id: container.id,
    image: container.image,
    runtime: container.runtime,
    spec: container.spec,
    snapshotter: container.snapshotter,
    snapshotKey: container.snapshotKey,
    sandbox: container.sandbox,
    labels: { ...container.labels },
    extensions: { ...container.extensions },
    createdAt: toTimestamp(container.createdAt),
    updatedAt: toTimestamp(container.updatedAt),
  }
}

const fromAny = ({ typeUrl, value }: OpaqueValue): OpaqueValue => ({ typeUrl, value })
