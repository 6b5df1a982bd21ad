import { Store } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import type { Sandbox as SandboxMessage } from '@nsbox/api/gen/types/sandbox_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { NewSandbox, Sandbox, SandboxChange, SandboxStore } from '@nsbox/core/sandboxes'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { received, receivedLabels, receivedTime } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { receivedOpaque } from '../messages/opaque-value.ts'

/** The sandboxes of one namespace of a server. */
export class RemoteSandboxStore implements SandboxStore {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async get(id: string, options: AbortOptions = {}): Promise<Sandbox> {
    const { sandbox } = await this.#rpc.unary(Store.method.get, { sandboxId: id }, options)
    return receivedSandbox(sandbox)
  }

  async *list(filters: readonly string[] = [], options: AbortOptions = {}): AsyncGenerator<Sandbox> {
    const { list } = await this.#rpc.unary(Store.method.list, { filters: [...filters] }, options)
    for (const sandbox of list) yield receivedSandbox(sandbox)
  }

  async create(given: NewSandbox, options: AbortOptions = {}): Promise<Sandbox> {
    const request = { sandbox: sandboxMessage(given) }
    const { sandbox } = await this.#rpc.unary(Store.method.create, request, options)
    return receivedSandbox(sandbox)
  }

  async update(
    change: SandboxChange,
    paths: readonly string[] = [],
    options: AbortOptions = {},
  ): Promise<Sandbox> {
    const request = { sandbox: sandboxMessage(change), fields: [...paths] }
    const { sandbox } = await this.#rpc.unary(Store.method.update, request, options)
    return receivedSandbox(sandbox)
  }

  async delete(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Store.method.delete, { sandboxId: id }, options)
  }
}

function sandboxMessage({ id, labels, runtime, spec, extensions, sandboxer = '' }: NewSandbox) {
  return {
    ...{ sandboxId: id, runtime, spec, sandboxer },
    labels: { ...labels },
    extensions: { ...extensions },
  }
}

function receivedSandbox(message: SandboxMessage | undefined): Sandbox {
  const { sandboxId, sandboxer, runtime, spec, ...rest } = received(message, 'a sandbox')
  const extensions: Record<string, OpaqueValue> = Object.create(null)
  for (const [name, value] of Object.entries(rest.extensions)) extensions[name] = receivedOpaque(value)
  const options = receivedOpaque(runtime?.options)
  return {
    ...{ id: sandboxId, sandboxer, extensions },
    labels: receivedLabels(rest.labels),
    runtime: { name: runtime?.name ?? '', ...(options && { options }) },
    ...(spec && { spec: receivedOpaque(spec) }),
    createdAt: receivedTime(rest.createdAt, 'sandbox.created_at'),
    updatedAt: receivedTime(rest.updatedAt, 'sandbox.updated_at'),
  }
}
