import { connect } from '@nsbox/client'
import type { CollectedEvents, TasksSubject } from '@nsbox/compliance/tasks'
import type { Event } from '@nsbox/core/events'
import type { Mount } from '@nsbox/core/snapshots'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** The tasks of a namespace of a server, through our client, for the suite of tasks. */
export async function remoteTasksSubject(
  address: string,
  namespace: string,
  rootfs: readonly Mount[],
): Promise<TasksSubject> {
  await using opening = new AsyncDisposableStack()
  const directory = opening.use(await tempDir('nsbox-tasks')).path
  const client = opening.use(connect({ address, namespace }))
  const owned = opening.move()
  return {
    tasks: client.tasks,
    newContainer: async (id, spec) => {
      await client.containers.create({ id, spec, runtime: { name: 'io.containerd.runc.v2' } })
    },
    rootfs,
    directory,
    collectEvents: () => collectEvents(client, namespace),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Nothing but an event that arrives tells that a subscription is active. */
async function collectEvents(
  { events: bus }: Pick<ReturnType<typeof connect>, 'events'>,
  namespace: string,
): Promise<CollectedEvents> {
  const stop = new AbortController()
  const events: Event[] = []
  let active = false
  const collecting = (async () => {
    try {
      for await (const { event, namespace: from } of bus.subscribe([], { signal: stop.signal })) {
        if (event.topic === '/probe') active = true
        else if (from === namespace) events.push(event)
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error
    }
  })()
  while (!active) {
    await bus.publish('probes', { topic: '/probe', opaque: { typeUrl: 'probe', value: new Uint8Array() } })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return {
    events,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await collecting
    },
  }
}
