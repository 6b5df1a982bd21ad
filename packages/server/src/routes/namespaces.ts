import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ConnectRouter } from '@connectrpc/connect'
import { type NamespaceSchema, Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { yieldBetween } from '@nsbox/concurrency'
import { labelChangeFromPaths } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { labelField, parseListFilters } from '@nsbox/filters'
import type { Namespace, NamespaceStore } from '@nsbox/namespaces'
import { namespaceLabels } from '../namespaces/namespace-labels.ts'

/** Serves the namespaces. */
export function namespacesRoutes(router: ConnectRouter, namespaces: NamespaceStore): void {
  router.service(Namespaces, {
    async get({ name }, { signal }) {
      // Clients ask for the defaults of a namespace that does not exist yet.
      return { namespace: { name, labels: { ...(await namespaceLabels(namespaces, name, { signal })) } } }
    },
    async list({ filter }, { signal }) {
      const { match } = parseListFilters([filter])
      const found = []
      for await (const namespace of yieldBetween(await namespaces.list({ signal }), { signal }))
        if (match(adaptor(namespace))) found.push(toMessage(namespace))
      return { namespaces: found }
    },
    async create(request, { signal }) {
      const { name, labels } = required(request.namespace)
      return { namespace: toMessage(await namespaces.create({ name, labels }, { signal })) }
    },
    async update(request, { signal }) {
      const { name, labels } = required(request.namespace)
      const paths = request.updateMask?.paths ?? []
      const change = labelChangeFromPaths(labels, paths, { subject: `namespace ${JSON.stringify(name)}` })
      return { namespace: toMessage(await namespaces.update(name, change, { signal })) }
    },
    async delete({ name }, { signal }) {
      await namespaces.delete(name, { signal })
      return {}
    },
  })
}

function adaptor({ name, labels }: Namespace) {
  return {
    field([first, ...rest]: readonly string[]) {
      return first === 'name' ? name : first === 'labels' ? labelField(labels, rest) : undefined
    },
  }
}

function required<T>(namespace: T | undefined): T {
  if (namespace === undefined) throw new NsboxError('invalid_argument', 'namespace must be set')
  return namespace
}

function toMessage({ name, labels }: Namespace): MessageInitShape<typeof NamespaceSchema> {
  return { name, labels: { ...labels } }
}
