import { changeLabels } from '@nsbox/core/labels'
import type { Sandbox, SandboxStore } from '@nsbox/core/sandboxes'
import { NsboxError, quoted, shownName } from '@nsbox/errors'
import { type Adaptor, labelField, parseListFilters } from '@nsbox/filters'
import type { Clock } from '@nsbox/time'
import { ensureNamespace } from '../database/ensure-namespace.ts'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import { listRows } from '../database/listing.ts'
import { decodeLabels } from '../database/stored-labels.ts'
import { changeSandbox } from './change-sandbox.ts'
import { dropSandbox, findSandbox, type SandboxFields, sandboxFieldsOf, writeSandbox } from './sandbox-row.ts'
import { validateSandbox } from './validate-sandbox.ts'

/** What a sandbox store works with. */
interface Parts {
  readonly ledger: Ledger
  readonly collector: GarbageCollector
  readonly clock: Clock
}

/** The sandboxes of a namespace. Leases do not hold them: a sandbox stays until it is deleted. */
export function sandboxStore({ ledger, collector, clock }: Parts, namespace: string): SandboxStore {
  return {
    async get(id, { signal } = {}) {
      signal?.throwIfAborted()
      return ledger.read((db) => {
        const sandbox = findSandbox(db, namespace, id)
        if (sandbox !== undefined) return sandbox
        throw notFound(id)
      })
    },

    async *list(filters = [], { signal } = {}) {
      const filter = parseListFilters(filters)
      for await (const fields of listRows(ledger, sandboxFieldsOf(namespace), signal)) {
        if (!filter.match(adaptor(fields))) continue
        const sandbox = await ledger.read((db) => findSandbox(db, namespace, fields.id))
        // It may have been deleted meanwhile.
        if (sandbox !== undefined) yield sandbox
      }
    },

    async create(given, { signal } = {}) {
      const now = clock.stamp()
      const sandbox: Sandbox = {
        id: given.id,
        labels: changeLabels({}, { replace: given.labels ?? {} }),
        runtime: given.runtime ?? { name: '' },
        spec: given.spec,
        extensions: given.extensions ?? {},
        sandboxer: given.sandboxer ?? '',
        createdAt: now,
        updatedAt: now,
      }
      validateSandbox(sandbox)
      signal?.throwIfAborted()
      return ledger.write(namespace, (tx) => {
        if (findSandbox(tx, namespace, sandbox.id) !== undefined)
          throw new NsboxError('already_exists', `sandbox ${quoted(sandbox.id)}`)
        ensureNamespace(tx, namespace)
        writeSandbox(tx, namespace, sandbox, undefined)
        return sandbox
      })
    },

    async update(given, paths = [], { signal } = {}) {
      signal?.throwIfAborted()
      const sandbox = await ledger.write(namespace, (tx) => {
        const current = findSandbox(tx, namespace, given.id)
        if (current === undefined) throw notFound(given.id)
        const updatedAt = clock.stamp(current.updatedAt)
        const sandbox = { ...changeSandbox(current, given, paths), updatedAt }
        validateSandbox(sandbox)
        writeSandbox(tx, namespace, sandbox, current)
        return sandbox
      })
      collector.schedule()
      return sandbox
    },

    async delete(id, { signal } = {}) {
      signal?.throwIfAborted()
      await ledger.write(namespace, (tx) => {
        if (!dropSandbox(tx, namespace, id)) throw notFound(id)
      })
      collector.schedule()
    },
  }
}

function notFound(id: string): NsboxError {
  return new NsboxError('not_found', `sandbox ${shownName(id)}`)
}

/** The fields of a sandbox for filters (docs/behaviour.md §2). */
function adaptor({ id, labels }: SandboxFields): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'id') return id
      return first === 'labels' ? labelField(decodeLabels(labels), rest) : undefined
    },
  }
}
