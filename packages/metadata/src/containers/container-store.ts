import type { Container, ContainerStore } from '@nsbox/core/containers'
import { changeLabels } from '@nsbox/core/labels'
import { NsboxError, quoted, shownName } from '@nsbox/errors'
import { type Adaptor, labelField, parseListFilters } from '@nsbox/filters'
import type { Reader } from '@nsbox/sqlite'
import type { Clock } from '@nsbox/time'
import { ensureNamespace } from '../database/ensure-namespace.ts'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import { listRows } from '../database/listing.ts'
import { decodeLabels } from '../database/stored-labels.ts'
import { changeContainer } from './change-container.ts'
import {
  type ContainerFields,
  containerFieldsOf,
  dropContainer,
  findContainer,
  writeContainer,
} from './container-row.ts'
import { validateContainer } from './validate-container.ts'

/** What a container store works with. */
interface Parts {
  readonly ledger: Ledger
  readonly collector: GarbageCollector
  readonly clock: Clock
}

/** How many containers a listing reads completely in one go, once it has found so many. */
const batchSize = 100

/** Bytes of specs after which a listing returns what it has read; each read may have to wait for the disk. */
const batchBytes = 1024 * 1024

/** The containers of a namespace. Leases do not hold them: a container stays until it is deleted. */
export function containerStore({ ledger, collector, clock }: Parts, namespace: string): ContainerStore {
  return {
    async get(id, { signal } = {}) {
      signal?.throwIfAborted()
      return ledger.read((db) => {
        const container = findContainer(db, namespace, id)
        if (container !== undefined) return container
        throw new NsboxError('not_found', `container ${quoted(id)} in namespace ${quoted(namespace)}`)
      })
    },

    async *list(filters = [], { signal } = {}) {
      const filter = parseListFilters(filters)
      const ids: string[] = []
      const takeAll = async function* () {
        while (ids.length > 0) {
          signal?.throwIfAborted()
          yield* await ledger.read((db) => takeContainers(db, namespace, ids))
        }
      }
      for await (const fields of listRows(ledger, containerFieldsOf(namespace), signal)) {
        if (filter.match(adaptor(fields))) ids.push(fields.id)
        if (ids.length >= batchSize) yield* takeAll()
      }
      yield* takeAll()
    },

    async create(given, { signal } = {}) {
      const now = clock.stamp()
      const container: Container = {
        id: given.id,
        labels: changeLabels({}, { replace: given.labels ?? {} }),
        image: given.image ?? '',
        runtime: given.runtime,
        spec: given.spec,
        snapshotter: given.snapshotter ?? '',
        snapshotKey: given.snapshotKey ?? '',
        extensions: given.extensions ?? {},
        sandbox: given.sandbox ?? '',
        createdAt: now,
        updatedAt: now,
      }
      validateContainer(container, 'create container')
      signal?.throwIfAborted()
      return ledger.write(namespace, (tx) => {
        const { id, image, runtime } = container
        if (findContainer(tx, namespace, id) !== undefined)
          throw new NsboxError('already_exists', `container ${quoted(id)}`)
        ensureNamespace(tx, namespace)
        writeContainer(tx, namespace, container, undefined)
        tx.emit({ topic: '/containers/create', payload: { id, image, runtime } })
        return container
      })
    },

    async update(given, paths = [], { signal } = {}) {
      const { id } = given
      if (id === '') throw new NsboxError('invalid_argument', 'Container.ID required')
      signal?.throwIfAborted()
      const container = await ledger.write(namespace, (tx) => {
        const current = findContainer(tx, namespace, id)
        if (current === undefined) throw new NsboxError('not_found', `container ${quoted(id)}`)
        const updatedAt = clock.stamp(current.updatedAt)
        const container = { ...changeContainer(current, given, paths), updatedAt }
        validateContainer(container, 'update')
        writeContainer(tx, namespace, container, current)
        const { image, labels, snapshotKey } = container
        tx.emit({ topic: '/containers/update', payload: { id, image, labels, snapshotKey } })
        return container
      })
      collector.schedule()
      return container
    },

    async delete(id, { signal } = {}) {
      signal?.throwIfAborted()
      await ledger.write(namespace, (tx) => {
        if (!dropContainer(tx, namespace, id)) throw new NsboxError('not_found', `container ${shownName(id)}`)
        tx.emit({ topic: '/containers/delete', payload: { id } })
      })
      collector.schedule()
    },
  }
}

/** Reads the first of these containers, as many as may be in memory at once, and removes them from the ids. */
function takeContainers(db: Reader, namespace: string, ids: string[]): Container[] {
  const containers: Container[] = []
  for (let bytes = 0; bytes < batchBytes && ids.length > 0; ) {
    const container = findContainer(db, namespace, ids.shift() as string)
    // It may have been deleted meanwhile.
    if (container === undefined) continue
    containers.push(container)
    bytes += container.spec.value.byteLength
  }
  return containers
}

/** The fields of a container for filters (docs/behaviour.md §2). */
function adaptor({ id, image, runtime, labels }: ContainerFields): Adaptor {
  return {
    field([first, ...rest]) {
      switch (first) {
        case 'id':
          return id
        case 'image':
          return image || undefined
        case 'runtime':
          return rest[0] === 'name' ? runtime : undefined
        case 'labels':
          return labelField(decodeLabels(labels), rest)
        default:
          return undefined
      }
    },
  }
}
