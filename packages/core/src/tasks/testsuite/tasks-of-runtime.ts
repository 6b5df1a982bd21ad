import { NsboxError } from '@nsbox/errors'
import type { OpaqueValue } from '../../opaque-value.ts'
import type { RuntimeTasks } from '../task-runtime.ts'
import type { CreateTaskOptions, Tasks } from '../tasks.ts'
import type { TasksSubject } from './tasks-subject.ts'

/** The tasks of a runtime together with containers, which a runtime knows nothing of. */
export function tasksOfRuntime(runtime: RuntimeTasks): Pick<TasksSubject, 'tasks' | 'newContainer'> {
  const specs = new Map<string, OpaqueValue>()
  const create = async (id: string, { rootfs = [], checkpoint, ...options }: CreateTaskOptions = {}) => {
    if (checkpoint !== undefined) throw new NsboxError('unimplemented', 'a content store of checkpoints')
    const spec = specs.get(id)
    if (spec === undefined) throw new NsboxError('not_found', `container ${JSON.stringify(id)}`)
    return await runtime.create(id, { ...options, rootfs, spec })
  }
  // Every other method is the runtime's own.
  const tasks = new Proxy(runtime as unknown as Tasks, {
    get(target, name) {
      if (name === 'create') return create
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return {
    tasks,
    newContainer: async (id, spec) => void specs.set(id, spec),
  }
}
