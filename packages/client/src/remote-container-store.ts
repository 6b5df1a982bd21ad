import {
  type Container as ContainerMessage,
  Containers,
} from '@nsbox/api/gen/services/containers/v1/containers_pb'
import type { Container, ContainerStore, NewContainer } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import { receivedOpaque } from './opaque-value.ts'
import { received, receivedDate, receivedLabels } from './received.ts'
import type { Rpc } from './rpc.ts'

export class RemoteContainerStore implements ContainerStore {
  readonly #rpc: Rpc
  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }
  async get(id: string, options: AbortOptions = {}): Promise<Container> {
    const { container } = await this.#rpc.unary(Containers.method.get, { id }, options)
    return conv(received(container, 'a container'))
  }
  async *list(filters: readonly string[] = [], options: AbortOptions = {}) {
    const { containers } = await this.#rpc.unary(Containers.method.list, { filters: [...filters] }, options)
    for (const c of containers) yield conv(c)
  }
  async create(c: NewContainer, options: AbortOptions = {}): Promise<Container> {
    const { container } = await this.#rpc.unary(
      Containers.method.create,
      { container: { ...c, labels: { ...c.labels }, extensions: { ...c.extensions } } },
      options,
    )
    return conv(received(container, 'a container'))
  }
  async update(
    c: NewContainer,
    paths: readonly string[] = [],
    options: AbortOptions = {},
  ): Promise<Container> {
    const { container } = await this.#rpc.unary(
      Containers.method.update,
      {
        container: { ...c, labels: { ...c.labels }, extensions: { ...c.extensions } },
        updateMask: { paths: [...paths] },
      },
      options,
    )
    return conv(received(container, 'a container'))
  }
  async delete(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Containers.method.delete, { id }, options)
  }
}
function conv(m: ContainerMessage): Container {
  return {
    ...m,
    labels: receivedLabels(m.labels),
    runtime: { name: m.runtime?.name ?? '', options: receivedOpaque(m.runtime?.options) },
    spec: receivedOpaque(received(m.spec, 'spec')),
    createdAt: receivedDate(m.createdAt, 'x'),
    updatedAt: receivedDate(m.updatedAt, 'x'),
  }
}
