import { type Lease as LeaseMessage, Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Lease, LeaseResource, LeaseStore, NewLease } from '@nsbox/core/leases'
import { received, receivedLabels, receivedTime } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'

/** The leases of one namespace of a server. */
export class RemoteLeaseStore implements LeaseStore {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async create({ id = '', labels }: NewLease = {}, options: AbortOptions = {}): Promise<Lease> {
    const { lease } = await this.#rpc.unary(Leases.method.create, { id, labels: { ...labels } }, options)
    return receivedLease(received(lease, 'a lease'))
  }

  async delete(
    id: string,
    { sync = false, signal }: { readonly sync?: boolean | undefined } & AbortOptions = {},
  ): Promise<void> {
    await this.#rpc.unary(Leases.method.delete, { id, sync }, { signal })
  }

  async list(filters: readonly string[] = [], options: AbortOptions = {}): Promise<Lease[]> {
    const { leases } = await this.#rpc.unary(Leases.method.list, { filters: [...filters] }, options)
    return leases.map(receivedLease).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async addResource(id: string, resource: LeaseResource, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Leases.method.addResource, { id, resource }, options)
  }

  async deleteResource(id: string, resource: LeaseResource, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Leases.method.deleteResource, { id, resource }, options)
  }

  async resources(id: string, options: AbortOptions = {}): Promise<LeaseResource[]> {
    const { resources } = await this.#rpc.unary(Leases.method.listResources, { id }, options)
    return resources
      .map((resource) => ({ type: resource.type, id: resource.id }))
      .sort((a, b) => (a.type < b.type || (a.type === b.type && a.id < b.id) ? -1 : 1))
  }
}

function receivedLease(lease: LeaseMessage): Lease {
  return {
    id: lease.id,
    createdAt: receivedTime(lease.createdAt, 'lease.created_at'),
    labels: receivedLabels(lease.labels),
  }
}
