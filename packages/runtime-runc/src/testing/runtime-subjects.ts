import { join } from 'node:path'
import { type CreateTasksSubject, type TasksSubject, tasksOfRuntime } from '@nsbox/compliance/tasks'
import type { Event } from '@nsbox/core/events'
import { NsboxError } from '@nsbox/errors'
import { busyboxRootfs, type RootfsMount, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { openRuncRuntime } from '../open-runc-runtime.ts'

/** How to make subjects. */
export interface RuntimeSubjectsOptions {
  /** Makes a program in place of runc, for which no shortcuts are used, in a directory. */
  readonly wrapper?: (directory: string) => Promise<string>
}

/**
 * Opens a runtime before the tests of a block, and makes subjects of it for the suite of tasks, in a namespace each.
 */
export function runtimeSubjects({ wrapper }: RuntimeSubjectsOptions = {}): CreateTasksSubject {
  const resources = new AsyncDisposableStack()
  const listeners = new Set<(namespace: string, event: Event) => void>()
  let warnings: unknown[] = []
  let runtime: Awaited<ReturnType<typeof openRuncRuntime>>
  let rootfs: RootfsMount[]
  let namespaces = 0

  beforeAll(async () => {
    const { path } = resources.use(await tempDir('nsbox-runtime'))
    rootfs = await busyboxRootfs(join(path, 'rootfs'))
    runtime = resources.use(
      await openRuncRuntime({
        directory: join(path, 'runtime'),
        binary: await wrapper?.(path),
        onEvent: (namespace, event) => {
          for (const listener of listeners) listener(namespace, event)
        },
        onWarning: (...warning) => void warnings.push(warning),
      }),
    )
    if ((await runtime.proveShortcuts()) !== (wrapper === undefined))
      throw new NsboxError('internal', `shortcuts of ${wrapper === undefined ? 'runc' : 'a wrapper'}`)
  })
  afterAll(() => resources.disposeAsync())

  return async (): Promise<TasksSubject> => {
    const namespace = `suite-${namespaces++}`
    const directory = await tempDir('nsbox-tasks')
    return {
      ...tasksOfRuntime(runtime.namespace(namespace)),
      rootfs,
      directory: directory.path,
      async collectEvents() {
        const events: Event[] = []
        const listener = (from: string, event: Event) => {
          if (from === namespace) events.push(event)
        }
        listeners.add(listener)
        return { events, [Symbol.asyncDispose]: async () => void listeners.delete(listener) }
      },
      [Symbol.asyncDispose]: async () => {
        await directory[Symbol.asyncDispose]()
        const told = warnings
        warnings = []
        if (told.length > 0) throw new AggregateError(told, `warnings: ${JSON.stringify(told)}`)
      },
    }
  }
}
