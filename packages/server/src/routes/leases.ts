import type { MessageShape } from '@bufbuild/protobuf'
import type { ConnectRouter } from '@connectrpc/connect'
import { toTimestamp } from '@nsbox/api'
import { Leases, type ResourceSchema } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import type { Lease, LeaseResource } from '@nsbox/core/leases'
import { NsboxError } from '@nsbox/errors'
import type { ViewOf } from '../rpc/namespace-views.ts'

/** Serves the leases of namespaces. */
export function leasesRoutes(router: ConnectRouter, view: ViewOf): void {
  router.service(Leases, {
    async create({ id, labels }, context) {
      const lease = await view(context).leases.create({ labels, ...(id === '' ? {} : { id }) }, context)
      return { lease: toMessage(lease) }
    },
    async delete({ id, sync }, context) {
      await view(context).leases.delete(id, { sync, signal: context.signal })
      return {}
    },
    async list({ filters }, context) {
      const leases = await view(context).leases.list(filters, context)
      return { leases: leases.map(toMessage) }
    },
    async addResource({ id, resource }, context) {
      await view(context).leases.addResource(id, required(resource), context)
      return {}
    },
    async deleteResource({ id, resource }, context) {
      await view(context).leases.deleteResource(id, required(resource), context)
      return {}
    },
    async listResources({ id }, context) {
      const resources = await view(context).leases.resources(id, context)
      return { resources: resources.map((resource) => ({ id: resource.id, type: resource.type })) }
    },
  })
}

function required(resource: MessageShape<typeof ResourceSchema> | undefined): LeaseResource {
  if (resource === undefined) throw new NsboxError('invalid_argument', 'resource must be set')
  return { id: resource.id, type: resource.type }
}

function toMessage({ id, createdAt, labels }: Lease) {
  return { id, createdAt: toTimestamp(createdAt), labels: { ...labels } }
}
