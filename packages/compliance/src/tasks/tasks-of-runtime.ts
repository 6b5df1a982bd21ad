import type {
  CheckpointOptions,
  CreateTaskOptions,
  OpaqueValue,
  RuntimeTasks,
  Tasks,
} from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import { CheckpointStore } from './checkpoint-store.ts'
import type { TasksSubject } from './subject.ts'

/** The tasks of a runtime, with the containers and the store of checkpoints that a runtime lacks. */
export function tasksOfRuntime(
  runtime: RuntimeTasks,
  runtimeName = 'io.containerd.runc.v2',
): Pick<TasksSubject, 'tasks' | 'newContainer'> {
  const specs = new Map<string, OpaqueValue>()
  const store = new CheckpointStore()
  const create = async (id: string, { rootfs = [], checkpoint, ...options }: CreateTaskOptions = {}) => {
    const spec = specs.get(id)
    if (spec === undefined) throw new NsboxError('not_found', `container ${JSON.stringify(id)}`)
    const restore = checkpoint && store.get(checkpoint.digest)
    return await runtime.create(id, { ...options, runtimeName, rootfs, spec, restore })
  }
  const checkpoint = async (id: string, { parent = '', ...options }: CheckpointOptions = {}) => {
    const stored: Descriptor[] = []
    await runtime.checkpoint(id, {
      ...options,
      parent: parent === '' ? undefined : store.get(parent),
      async images(directory) {
        const descriptor = await store.put(directory)
        stored.push(descriptor)
        return descriptor.digest
      },
    })
    return stored
  }
  // All other methods are the runtime's own.
  const own: Partial<Tasks> = { create, checkpoint }
  const tasks = new Proxy(runtime as unknown as Tasks, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return {
    tasks,
    newContainer: async (id, spec) => void specs.set(id, spec),
  }
}
