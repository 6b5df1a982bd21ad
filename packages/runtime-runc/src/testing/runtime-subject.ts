import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TasksSubject, tasksOfRuntime } from '@nsbox/compliance/tasks'
import type { Event } from '@nsbox/core/events'
import { NsboxError } from '@nsbox/errors'
import { busyboxRootfs, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { openRuncRuntime } from '../open-runc-runtime.ts'

/** How to make a subject. */
export interface RuntimeSubjectOptions {
  /** A program in place of runc, for which shortcuts are used. */
  readonly binary?: string | undefined
}

/** A runtime with directories of its own, for the suite of tasks. */
export async function runtimeSubject({ binary }: RuntimeSubjectOptions = {}): Promise<TasksSubject> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-runtime'))
  const listeners = new Set<(event: Event) => void>()
  const warnings: unknown[] = []
  await mkdir(join(path, 'io'))
  const rootfs = await busyboxRootfs(join(path, 'rootfs'))
  const runtime = opening.use(
    await openRuncRuntime({
      directory: join(path, 'runtime'),
      binary,
      onEvent: (_namespace, event) => {
        for (const listener of listeners) listener(event)
      },
      onWarning: (...warning) => void warnings.push(warning),
    }),
  )
  if ((await runtime.proveShortcuts()) !== (binary === undefined))
    throw new NsboxError('internal', `shortcuts of ${binary ?? 'runc'}`)
  const owned = opening.move()
  return {
    ...tasksOfRuntime(runtime.namespace('suite')),
    rootfs,
    directory: join(path, 'io'),
    async collectEvents() {
      const events: Event[] = []
      const listener = (event: Event) => void events.push(event)
      listeners.add(listener)
      return { events, [Symbol.asyncDispose]: async () => void listeners.delete(listener) }
    },
    [Symbol.asyncDispose]: async () => {
      await owned.disposeAsync()
      if (warnings.length > 0) throw new AggregateError(warnings, `warnings: ${JSON.stringify(warnings)}`)
    },
  }
}
