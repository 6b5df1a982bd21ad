import type { Event } from '@nsbox/core/events'
import { describe, expect, test } from 'vitest'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { failure } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'
import { processSpec } from './suite-spec.ts'

export function eventTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('events', () => {
    const bench = useBench(create)

    test('tell the life of a task, in order and once', async () => {
      const { tasks } = bench()
      await using collected = await bench().subject.collectEvents()
      const { out: _out, err: _err, ...io } = await bench().ends()
      const { id, pid } = await bench().started({ args: ['sh', '-c', 'exit 7'] }, io)
      const exit = await tasks.wait(id)
      await tasks.delete(id)
      await expectEvents(collected.events, id, [
        { topic: '/tasks/create', payload: { containerId: id, pid, io: { ...io, terminal: false } } },
        { topic: '/tasks/start', payload: { containerId: id, pid } },
        { topic: '/tasks/exit', payload: { containerId: id, id, pid, ...exit } },
        { topic: '/tasks/delete', payload: { containerId: id, pid, ...exit } },
      ])
    })

    test('tell the life of an exec', async () => {
      const { tasks } = bench()
      await using collected = await bench().subject.collectEvents()
      const { id, pid: init } = await bench().idle()
      const pid = await bench().exec(id, 'one', { args: ['sh', '-c', 'exit 7'] })
      const exit = await tasks.wait(id, { execId: 'one' })
      await tasks.deleteProcess(id, 'one')
      await tasks.pause(id)
      await tasks.resume(id)
      await expectEvents(collected.events, id, [
        { topic: '/tasks/create', payload: { containerId: id, pid: init } },
        { topic: '/tasks/start', payload: { containerId: id, pid: init } },
        { topic: '/tasks/exec-added', payload: { containerId: id, execId: 'one' } },
        { topic: '/tasks/exec-started', payload: { containerId: id, execId: 'one', pid } },
        { topic: '/tasks/exit', payload: { containerId: id, id: 'one', pid, ...exit } },
        ...(claims.execDeleteEvent
          ? [{ topic: '/tasks/delete', payload: { containerId: id, id: 'one', pid, ...exit } }]
          : []),
        { topic: '/tasks/paused', payload: { containerId: id } },
        { topic: '/tasks/resumed', payload: { containerId: id } },
      ])
    })

    test('tell a start before an end, however fast that is', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await using collected = await bench().subject.collectEvents()
      const execs = Array.from({ length: 10 }, (_, index) => `exec-${index}`)
      await Promise.all(
        execs.map(async (execId) => {
          await bench().exec(id, execId, { args: ['true'] })
          await tasks.wait(id, { execId })
        }),
      )
      const short = await bench().started({ args: ['true'] })
      await tasks.wait(short.id)
      for (const execId of execs) {
        await expect
          .poll(() => topicsOf(collected.events, execId), { timeout: 30_000 })
          .toEqual(['/tasks/exec-added', '/tasks/exec-started', '/tasks/exit'])
      }
      await expect
        .poll(() => topicsOf(collected.events, short.id), { timeout: 30_000 })
        .toEqual(['/tasks/create', '/tasks/start', '/tasks/exit'])
    })

    test('tell of no end of what was never made', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await using collected = await bench().subject.collectEvents()
      const missing = await bench().container({ args: ['nonesuch'] })
      await failure(tasks.create(missing, { rootfs: bench().subject.rootfs }))
      await tasks.exec(id, 'one', { spec: processSpec({ args: ['nonesuch'] }) })
      await failure(tasks.start(id, { execId: 'one' }))
      await tasks.kill(id, 9)
      await tasks.wait(id)
      await expect.poll(() => topicsOf(collected.events, id)).toContain('/tasks/exit')
      expect(topicsOf(collected.events, missing)).toEqual([])
      expect(topicsOf(collected.events, 'one')).not.toContain('/tasks/exec-started')
      expect(topicsOf(collected.events, 'one')).not.toContain('/tasks/exit')
    })

    test.skipIf(!claims.exitOfUnstarted)('tell the end of a task that was never started', async () => {
      await using collected = await bench().subject.collectEvents()
      const { id } = await bench().created({ args: ['sleep', '1000'] })
      await bench().tasks.delete(id)
      await expect
        .poll(() => topicsOf(collected.events, id), { timeout: 30_000 })
        .toEqual(['/tasks/create', '/tasks/exit', '/tasks/delete'])
    })

    test('tell the end of execs before that of their task', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      await using collected = await bench().subject.collectEvents()
      await tasks.kill(id, 9)
      await tasks.wait(id)
      await expect.poll(() => exits(collected.events, id)).toEqual(['one', id])
    })
  })
}

interface Expected {
  readonly topic: string
  readonly payload: object
}

/** Waits for the events of a container, and compares them with all that are expected. */
async function expectEvents(
  events: readonly Event[],
  id: string,
  expected: readonly Expected[],
): Promise<void> {
  await expect
    .poll(() => topicsOf(events, id), { timeout: 30_000 })
    .toEqual(expected.map(({ topic }) => topic))
  expect(events.filter((event) => concerns(event, id))).toMatchObject(expected)
}

/** The topics of the events about the tasks of a container, or of an exec. */
function topicsOf(events: readonly Event[], id: string): string[] {
  return events.filter((event) => concerns(event, id)).map(({ topic }) => topic)
}

function concerns(event: Event, id: string): boolean {
  if (!('payload' in event) || !event.topic.startsWith('/tasks/')) return false
  const { containerId, execId, id: process } = event.payload as Partial<Record<string, unknown>>
  return containerId === id || execId === id || process === id
}

/** The processes of a container that had an exit event. */
function exits(events: readonly Event[], id: string): string[] {
  return events.flatMap((event) => {
    return event.topic === '/tasks/exit' && 'payload' in event && event.payload.containerId === id
      ? [event.payload.id]
      : []
  })
}
