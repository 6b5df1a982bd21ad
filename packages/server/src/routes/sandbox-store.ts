import type { MessageShape } from '@bufbuild/protobuf'
import type { ConnectRouter } from '@connectrpc/connect'
import { Store } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import type { SandboxSchema } from '@nsbox/api/gen/types/sandbox_pb'
import { answerBudget } from '@nsbox/core/byte-budget'
import type { NewSandbox } from '@nsbox/core/sandboxes'
import { NsboxError } from '@nsbox/errors'
import { fromSandboxMessage, toSandboxMessage } from '../convert/sandbox.ts'
import type { ViewOf } from '../rpc/namespace-views.ts'

/** Serves the sandboxes of namespaces, as metadata. */
export function sandboxStoreRoutes(router: ConnectRouter, view: ViewOf): void {
  router.service(Store, {
    async create({ sandbox }, context) {
      return {
        sandbox: toSandboxMessage(await view(context).sandboxes.create(required(sandbox), context)),
      }
    },
    async update({ sandbox, fields }, context) {
      const updated = await view(context).sandboxes.update(required(sandbox), fields, context)
      return { sandbox: toSandboxMessage(updated) }
    },
    async delete({ sandboxId }, context) {
      await view(context).sandboxes.delete(sandboxId, context)
      return {}
    },
    async list({ filters }, context) {
      const budget = answerBudget('sandboxes')
      const list = []
      for await (const sandbox of view(context).sandboxes.list(filters, context)) {
        const { labels, extensions, spec, runtime } = sandbox
        const values = [spec, runtime.options, ...Object.values(extensions)]
        const texts = [...Object.entries(labels).flat(), ...Object.keys(extensions)]
        budget.take(
          values.reduce((bytes, value) => bytes + (value?.value.byteLength ?? 0), 0) +
            texts.reduce((bytes, text) => bytes + text.length, 0),
        )
        list.push(toSandboxMessage(sandbox))
      }
      return { list }
    },
    async get({ sandboxId }, context) {
      return { sandbox: toSandboxMessage(await view(context).sandboxes.get(sandboxId, context)) }
    },
  })
}

function required(sandbox: MessageShape<typeof SandboxSchema> | undefined): NewSandbox {
  if (sandbox === undefined) throw new NsboxError('invalid_argument', 'sandbox must be set')
  return fromSandboxMessage(sandbox)
}
