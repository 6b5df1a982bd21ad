import type { TaskRuntime } from '@nsbox/core/tasks'
import { isNotFound, isNsboxError } from '@nsbox/errors'
import type { Metadata } from '@nsbox/metadata'
import { defaultSnapshotter } from '../snapshotters/default-snapshotter.ts'
import { loadedSnapshotter } from '../snapshotters/loaded-snapshotter.ts'
import type { SnapshotterEntry } from '../snapshotters/open-snapshotters.ts'
import type { TenantRulesParts } from './tenant-rules.ts'

/** Parts of a server. */
interface ServerParts {
  readonly metadata: Pick<Metadata, 'namespace' | 'namespaces'>
  readonly snapshotters: readonly SnapshotterEntry[]
  readonly runtime: Pick<TaskRuntime, 'namespace'>
}

/** Makes the lookups of the rules, in the server's own stores. */
export function tenantRulesParts({ metadata, snapshotters, runtime }: ServerParts): TenantRulesParts {
  return {
    containerOf: (namespace, id, options) => metadata.namespace(namespace).containers.get(id, options),
    async hasTask(namespace, id, options) {
      try {
        await runtime.namespace(namespace).get(id, options)
        return true
      } catch (error) {
        // Hosts without tasks and malformed ids have none.
        const isNone = isNotFound(error) || (isNsboxError(error) && none.has(error.code))
        if (isNone) return false
        throw error
      }
    },
    mountsIn: (namespace) => async (given, key, options) => {
      const name = given || (await defaultSnapshotter(metadata.namespaces, namespace, options))
      return await loadedSnapshotter(metadata.namespace(namespace), snapshotters, name).mounts(key, options)
    },
  }
}

const none: ReadonlySet<string> = new Set(['invalid_argument', 'permission_denied', 'unimplemented'])
