import type { TaskRuntime } from '@nsbox/core/tasks'
import type { Metadata } from '@nsbox/metadata'
import type { TenantRulesParts } from './access/tenant-rules.ts'
import { defaultSnapshotter } from './snapshotters/default-snapshotter.ts'
import { loadedSnapshotter } from './snapshotters/loaded-snapshotter.ts'
import type { SnapshotterEntry } from './snapshotters/open-snapshotters.ts'
import { hasTask } from './tasks/has-task.ts'

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
    hasTask: (namespace, id, options) => hasTask(runtime.namespace(namespace), id, options),
    mountsIn: (namespace) => async (given, key, options) => {
      const name = given || (await defaultSnapshotter(metadata.namespaces, snapshotters, namespace, options))
      return await loadedSnapshotter(metadata.namespace(namespace), snapshotters, name).mounts(key, options)
    },
  }
}
