import type { MessageShape } from '@bufbuild/protobuf'
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect'
import { type ContainerSchema, Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { answerBudget } from '@nsbox/core/byte-budget'
import type { Container, ContainerChange, NewContainer } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'
import { fromContainerMessage, toContainerMessage } from '../convert/container.ts'
import type { ViewOf } from '../rpc/namespace-views.ts'

/**
 * Serves the containers of namespaces. Containers are metadata: one can be deleted although it has a task, as with
 * stock containerd, whose clients look for the task first.
 *
 * @param onCreated called with each container that a client has made
 */
export function containersRoutes(
  router: ConnectRouter,
  view: ViewOf,
  onCreated: (context: HandlerContext, container: Container) => void,
): void {
  router.service(Containers, {
    async get({ id }, context) {
      return { container: toContainerMessage(await view(context).containers.get(id)) }
    },
    async list({ filters }, context) {
      const budget = answerBudget('containers')
      const containers = []
      for await (const container of view(context).containers.list(filters, context)) {
        const message = toContainerMessage(container)
        budget.take(container.spec.value.byteLength + bytesOf(container.labels))
        containers.push(message)
      }
      return { containers }
    },
    async *listStream({ filters }, context) {
      for await (const container of view(context).containers.list(filters, context))
        yield { container: toContainerMessage(container) }
    },
    async create({ container }, context) {
      // The store refuses a container without a runtime or spec.
      const given = { runtime: { name: '' }, ...required(container) } as NewContainer
      const created = await view(context).containers.create(given, context)
      onCreated(context, created)
      return { container: toContainerMessage(created) }
    },
    async update({ container, updateMask }, context) {
      const { containers } = view(context)
      const updated = await containers.update(required(container), updateMask?.paths ?? [], context)
      return { container: toContainerMessage(updated) }
    },
    async delete({ id }, context) {
      await view(context).containers.delete(id, context)
      return {}
    },
  })
}

function bytesOf(labels: Readonly<Record<string, string>>): number {
  return Object.entries(labels).reduce((bytes, [key, value]) => bytes + key.length + value.length, 0)
}

function required(container: MessageShape<typeof ContainerSchema> | undefined): ContainerChange {
  if (container === undefined) throw new NsboxError('invalid_argument', 'container must be set')
  return fromContainerMessage(container)
}
