import {
  type Namespace as NamespaceMessage,
  Namespaces,
} from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { LabelChange, Labels } from '@nsbox/core/labels'
import type { Namespace, NamespaceStore } from '@nsbox/namespaces'
import { received, receivedLabels } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { maskedLabels } from '../messages/label-mask.ts'

/** The namespaces of a server. */
export class RemoteNamespaceStore implements NamespaceStore {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async get(name: string, options: AbortOptions = {}): Promise<Namespace> {
    const { namespace } = await this.#rpc.unary(Namespaces.method.get, { name }, options)
    return receivedNamespace(namespace)
  }

  async list(options: AbortOptions = {}): Promise<Namespace[]> {
    const { namespaces } = await this.#rpc.unary(Namespaces.method.list, {}, options)
    return namespaces.map(receivedNamespace).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async create(
    { name, labels }: { readonly name: string; readonly labels?: Labels },
    options: AbortOptions = {},
  ): Promise<Namespace> {
    const request = { namespace: { name, labels: { ...labels } } }
    const { namespace } = await this.#rpc.unary(Namespaces.method.create, request, options)
    return receivedNamespace(namespace)
  }

  async update(name: string, change: LabelChange, options: AbortOptions = {}): Promise<Namespace> {
    const { labels, paths } = maskedLabels(change)
    if (paths.length === 0) return this.get(name, options)
    // This service knows no path `labels`; without a mask it replaces them all.
    const updateMask = 'merge' in change ? { paths } : undefined
    const request = { namespace: { name, labels }, ...(updateMask && { updateMask }) }
    const { namespace } = await this.#rpc.unary(Namespaces.method.update, request, options)
    // containerd leaves its answer empty.
    return namespace === undefined ? this.get(name, options) : receivedNamespace(namespace)
  }

  async delete(name: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Namespaces.method.delete, { name }, options)
  }
}

function receivedNamespace(message: NamespaceMessage | undefined): Namespace {
  const { name, labels } = received(message, 'a namespace')
  return { name, labels: receivedLabels(labels) }
}
