import { once } from 'node:events'
import { join } from 'node:path'
import { typeName, unpackAny } from '@nsbox/api'
import { unpackEventPayload } from '@nsbox/api/event-payload'
import { MetricsSchema as V1Schema } from '@nsbox/api/gen/cgroups/v1/metrics_pb'
import { MetricsSchema as V2Schema } from '@nsbox/api/gen/cgroups/v2/metrics_pb'
import { Events } from '@nsbox/api/gen/services/ttrpc/events/v1/events_pb'
import { type CreateTasksSubject, tasksOfRuntime } from '@nsbox/compliance/tasks'
import type { DomainEvent, Event } from '@nsbox/core/events'
import type { OpaqueValue, TaskMetrics, Tasks } from '@nsbox/core/tasks'
import { busyboxRootfs, type RootfsMount, tempDir } from '@nsbox/testing'
import { createTtrpcServer, implementService } from '@nsbox/ttrpc'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { openShimRuntime } from '../open-shim-runtime.ts'
import type { ShimRuntime } from '../shim-runtime.ts'

/** The path of Debian's shim for runc. */
export const runcShim = '/usr/bin/containerd-shim-runc-v2'

/** A runtime of shims with a socket for their events, as in a server. */
export interface ShimLab extends AsyncDisposable {
  readonly directory: string
  readonly rootfs: RootfsMount[]
  readonly runtime: ShimRuntime
  readonly listeners: Set<(event: Event, namespace: string) => void>
  readonly warnings: string[]
  /** Lines that shims have logged. */
  readonly logged: string[]
  /** Topics of all events of shims, published or not. */
  readonly forwarded: string[]
  /** Closes the runtime and the socket, and opens them again. @param meanwhile called while they are closed */
  restart(meanwhile?: () => Promise<void>): Promise<ShimRuntime>
}

/** @param searchPath where to look for shims by name */
export async function openShimLab(searchPath?: string): Promise<ShimLab> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-shims'))
  const listeners = new Set<(event: Event, namespace: string) => void>()
  const warnings: string[] = []
  const logged: string[] = []
  const forwarded: string[] = []
  const tell = (namespace: string, event: DomainEvent) => {
    for (const listener of listeners) listener(event, namespace)
  }
  const ttrpcAddress = join(path, 'sock.ttrpc')
  let runtime: ShimRuntime
  const open = async () => {
    await using parts = new AsyncDisposableStack()
    runtime = parts.use(
      await openShimRuntime({
        directory: join(path, 'bundles'),
        images: join(path, 'images'),
        address: join(path, 'sock'),
        ttrpcAddress,
        searchPath,
        onEvent: tell,
        onWarning: (message, error) => void warnings.push(`${message}: ${error}`),
        onLog: (line, { namespace, id }) => void logged.push(`${namespace}/${id} ${line}`),
      }),
    )
    const events = implementService(Events, {
      forward({ envelope }) {
        const { namespace, topic, event } = envelope!
        const isNews = runtime.isNews(namespace, topic, event!)
        forwarded.push(topic)
        if (isNews)
          tell(namespace, { topic, payload: unpackEventPayload(topic, event!) } as unknown as DomainEvent)
        return {}
      },
    })
    const { server } = parts.use(createTtrpcServer([events]))
    server.listen(ttrpcAddress)
    await once(server, 'listening')
    return parts.move()
  }
  const rootfs = await busyboxRootfs(join(path, 'rootfs'))
  let parts = await open()
  opening.defer(() => parts.disposeAsync())
  const owned = opening.move()
  return {
    directory: path,
    rootfs,
    get runtime() {
      return runtime
    },
    listeners,
    warnings,
    logged,
    forwarded,
    async restart(meanwhile) {
      await parts.disposeAsync()
      await meanwhile?.()
      parts = await open()
      return runtime
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync() as Promise<void>,
  }
}

/** Opens a lab before the tests of a block, and makes subjects of it for the suite of tasks, in a namespace each. */
export function shimSubjects(): CreateTasksSubject {
  let lab: ShimLab
  let namespaces = 0
  beforeAll(async () => {
    lab = await openShimLab()
  })
  afterAll(() => lab[Symbol.asyncDispose]())
  return async () => {
    const namespace = `suite-${namespaces++}`
    const { tasks, newContainer } = tasksOfRuntime(lab.runtime.namespace(namespace), runcShim)
    const directory = await tempDir('nsbox-tasks')
    return {
      tasks: withReadMetrics(tasks),
      newContainer,
      rootfs: lab.rootfs,
      directory: directory.path,
      async collectEvents() {
        const events: Event[] = []
        const listener = (event: Event, from: string) => {
          if (from === namespace) events.push(event)
        }
        lab.listeners.add(listener)
        return { events, [Symbol.asyncDispose]: async () => void lab.listeners.delete(listener) }
      },
      [Symbol.asyncDispose]: async () => {
        await directory[Symbol.asyncDispose]()
        const warnings = lab.warnings.splice(0)
        if (warnings.length > 0) throw new Error(`warnings: ${warnings.join('\n')}`)
      },
    }
  }
}

/** Reads metrics as a client of a server does; the runtime passes them on unread. */
function withReadMetrics(tasks: Tasks): Tasks {
  const metrics: Tasks['metrics'] = async (...args) => {
    return (await tasks.metrics(...args)).map(({ data, ...rest }) => {
      return { ...rest, data: 'opaque' in data ? readMetrics(data.opaque) : data }
    })
  }
  return new Proxy(tasks, {
    get: (target, name) => (name === 'metrics' ? metrics : Reflect.get(target, name)),
  })
}

function readMetrics(opaque: OpaqueValue): TaskMetrics['data'] {
  return typeName(opaque) === V2Schema.typeName
    ? { cgroup: 2, metrics: unpackAny(V2Schema, opaque) }
    : { cgroup: 1, metrics: unpackAny(V1Schema, opaque) }
}
