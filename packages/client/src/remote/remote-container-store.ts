import {
  type Container as ContainerMessage,
  Containers,
} from '@nsbox/api/gen/services/containers/v1/containers_pb'
import type {
  Container,
  ContainerChange,
  ContainerRuntime,
  ContainerStore,
  NewContainer,
  OpaqueValue,
} from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import { isUnimplemented } from '@nsbox/errors'
import { received, receivedLabels, receivedTime } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { receivedOpaque } from '../messages/opaque-value.ts'

/** The containers of one namespace of a server. */
export class RemoteContainerStore implements ContainerStore {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async get(id: string, options: AbortOptions = {}): Promise<Container> {
    const { container } = await this.#rpc.unary(Containers.method.get, { id }, options)
    return receivedContainer(container)
  }

  /** One message for each container: specs are large, and all of them together need not fit into one. */
  async *list(filters: readonly string[] = [], options: AbortOptions = {}): AsyncGenerator<Container> {
    const request = { filters: [...filters] }
    try {
      const stream = this.#rpc.serverStream(Containers.method.listStream, request, options)
      for await (const { container } of stream) yield receivedContainer(container)
      return
    } catch (error) {
      if (!isUnimplemented(error)) throw error
    }
    // The server's API is older than the stream.
    const { containers } = await this.#rpc.unary(Containers.method.list, request, options)
    for (const container of containers) yield receivedContainer(container)
  }

  async create(given: NewContainer, options: AbortOptions = {}): Promise<Container> {
    const request = { container: containerMessage(given) }
    const { container } = await this.#rpc.unary(Containers.method.create, request, options)
    return receivedContainer(container)
  }

  async update(
    change: ContainerChange,
    paths: readonly string[] = [],
    options: AbortOptions = {},
  ): Promise<Container> {
    const request = { container: containerMessage(change), updateMask: { paths: [...paths] } }
    const { container } = await this.#rpc.unary(Containers.method.update, request, options)
    return receivedContainer(container)
  }

  async delete(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Containers.method.delete, { id }, options)
  }
}

/** A container for a request. One that was read has times, which requests have not. */
function containerMessage(container: ContainerChange) {
  const { id, image, snapshotter, snapshotKey, sandbox, runtime, spec, labels, extensions } = container
  return {
    ...{ id, image, snapshotter, snapshotKey, sandbox, runtime, spec },
    labels: { ...labels },
    extensions: { ...extensions },
  }
}

function receivedContainer(message: ContainerMessage | undefined): Container {
  const { id, image, snapshotter, snapshotKey, sandbox, ...rest } = received(message, 'a container')
  const extensions: Record<string, OpaqueValue> = Object.create(null)
  for (const [name, value] of Object.entries(rest.extensions)) extensions[name] = receivedOpaque(value)
  return {
    ...{ id, image, snapshotter, snapshotKey, sandbox, extensions },
    labels: receivedLabels(rest.labels),
    runtime: receivedRuntime(rest.runtime),
    spec: rest.spec === undefined ? noSpec : receivedOpaque(rest.spec),
    createdAt: receivedTime(rest.createdAt, 'container.created_at'),
    updatedAt: receivedTime(rest.updatedAt, 'container.updated_at'),
  }
}

/** The spec of a container that was made without one, as some servers allow. */
const noSpec: OpaqueValue = { typeUrl: '', value: new Uint8Array() }

function receivedRuntime(runtime: ContainerMessage['runtime']): ContainerRuntime {
  const { name, options } = received(runtime, 'the runtime of a container')
  return { name, ...(options && { options: receivedOpaque(options) }) }
}
