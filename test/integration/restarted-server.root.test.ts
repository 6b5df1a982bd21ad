import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TaskHandle } from '@nsbox/client'
import type { DomainEvent } from '@nsbox/core/events'
import type { Spec } from '@nsbox/oci/runtime-spec'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openTaskLab, type TaskLab } from './task-lab.ts'

const isLong = process.env.NSBOX_TEST_LONG !== undefined
const count = isLong ? 50 : 10
const ending = isLong ? 10 : 4
const terminals = isLong ? 5 : 2

/** A container at whose terminal somebody sits. */
interface Seat {
  readonly task: TaskHandle
  /** What was shown so far. */
  output(): string
  type(text: string): void
}

async function takeSeat(lab: TaskLab, id: string): Promise<Seat> {
  const task = await lab.start(id, ['sh'], { terminal: true, stdin: true })
  let output = ''
  task.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
  })
  return { task, output: () => output, type: (text) => void task.stdin!.write(text) }
}

/** The ends of tasks that a subscriber is told of until `last` has been told. */
async function ends({ client }: TaskLab, last: string): Promise<[string, number][]> {
  const found: [string, number][] = []
  for await (const { event } of client.events.subscribe(['topic=="/tasks/exit"'])) {
    const { topic, payload } = event as DomainEvent
    if (topic !== '/tasks/exit') continue
    if (payload.containerId === last) return found
    found.push([payload.containerId, payload.exitStatus])
  }
  return found
}

/** In turns, four at a time: a supervisor takes no longer for them than for all at once. */
async function each(names: readonly string[], run: (name: string) => Promise<unknown>): Promise<void> {
  const left = [...names]
  const work = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await run(name)
  }
  await Promise.all(Array.from({ length: 4 }, work))
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox'] },
  'containers of a server that is',
  () => {
    let lab: TaskLab
    beforeAll(async () => {
      lab = await openTaskLab('restarted-server')
      await lab.run('warm', ['true'])
    })
    afterEach(() => lab.removeAll())
    afterAll(() => lab[Symbol.asyncDispose]())

    describe.each([
      ['killed', 'kill', 'built'],
      ['stopped and started', 'stop', 'built'],
      ['replaced by another build', 'stop', 'sources'],
      ['replaced by the first build again', 'kill', 'built'],
    ] as const)('%s', (_, end, build) => {
      it('go on, end with their status, keep their terminals and have their events', {
        timeout: 120_000,
      }, async () => {
        await lab.growLog()
        const watch = await lab.watch(build === 'built')
        const brief = range(0, ending).map((n) => `brief-${n}`)
        const long = range(ending + terminals, count).map((n) => `long-${n}`)
        const go = join(lab.rootfs, 'tmp/go')
        const waiting = (id: string) => [
          ...['sh', '-c', `until [ -e /tmp/go ]; do sleep 0.1; done; echo last words; exit ${id.slice(6)}`],
        ]
        const tasks = new Map<string, TaskHandle>()
        await each(brief, async (id) => tasks.set(id, await lab.start(id, waiting(id))))
        await each(long, async (id) =>
          tasks.set(id, await lab.start(id, ['sleep', '1000'], { output: 'ignore' })),
        )
        const words = Promise.all(
          brief.map(async (id) => (await tasks.get(id)!.stdout!.setEncoding('utf8').toArray()).join('')),
        )
        const seats = await Promise.all(range(0, terminals).map((n) => takeSeat(lab, `seat-${n}`)))
        for (const [n, seat] of seats.entries()) seat.type(`kept=value${n}\r`)
        await Promise.all(seats.map(({ output }, n) => expect.poll(output).toContain(`value${n}`)))
        const [old] = await lab.server.supervisors()

        await lab.server[end]()
        await writeFile(go, '')
        // Terminals work while nobody is there but the supervisor.
        for (const seat of seats) seat.type('echo "meanwhile $kept"\r')
        await Promise.all(seats.map(({ output }, n) => expect.poll(output).toContain(`meanwhile value${n}`)))
        await Promise.all(
          brief.map((id) => expect.poll(() => existsSync(`/proc/${tasks.get(id)!.pid}`)).toBe(false)),
        )
        await rm(go)
        await lab.server.restart(build)

        // A subscriber is told of what happened while there was no server, once.
        const told = ends(lab, 'after')
        const found = await lab.client.tasks.list()
        const states = found.map(({ containerId, status, exit }) => [containerId, status, exit?.exitStatus])
        expect(states.sort()).toEqual(
          [
            ...brief.map((id, n) => [id, 'stopped', n]),
            ...long.map((id) => [id, 'running', undefined]),
            ...range(0, terminals).map((n) => [`seat-${n}`, 'running', undefined]),
          ].sort(),
        )
        // Those who waited before, and those who ask now.
        const statuses = await Promise.all(brief.map(async (id) => (await tasks.get(id)!.exit).exitStatus))
        expect(statuses).toEqual(range(0, ending))
        const asked = await Promise.all(brief.map(async (id) => (await lab.client.tasks.wait(id)).exitStatus))
        expect(asked).toEqual(range(0, ending))
        expect(new Set(await words)).toEqual(new Set(['last words\n']))

        await Promise.all(
          seats.map(async ({ task, output, type }, n) => {
            await task.resize({ width: 70 + n, height: 20 })
            type('echo "after $kept"; stty size; exit 7\r')
            expect(await task.finished()).toMatchObject({ exitStatus: 7 })
            expect(output()).toMatch(new RegExp(`after value${n}\\s+20 ${70 + n}`))
          }),
        )
        expect(await lab.run('after', ['sh', '-c', 'echo new; exit 3'])).toEqual({
          output: 'new\n',
          exitStatus: 3,
        })
        // Another build has a supervisor of its own, and the old one stays with what it holds.
        expect((await lab.server.supervisors()).includes(old!)).toBe(true)
        await each(long, (id) => tasks.get(id)!.kill('SIGKILL'))
        for (const id of long) expect(await tasks.get(id)!.exit).toMatchObject({ exitStatus: 137 })
        await each([...brief, ...long], async (id) => tasks.get(id)!.delete())
        await Promise.all(seats.map(({ task }) => task.delete()))
        await lab.removeAll()
        const events = (await told).sort()
        const seated = range(0, terminals).map((n) => [`seat-${n}`, 7])
        expect(events).toEqual([...brief.map((id, n) => [id, n]), ...seated].sort())
        await expect.poll(async () => (await lab.server.supervisors()).length).toBe(1)
        expect(await watch.leaks()).toEqual([])
      })
    })

    it('are started again when it comes back, if their labels say so and they have ended', async () => {
      const id = 'wanted'
      // Who starts it again has no mounts from a client.
      const spec = [(given: Spec) => ({ ...given, root: { path: lab.rootfs } })]
      const task = await lab.start(id, ['sleep', '1000'], { output: 'ignore', rootfs: [], spec })
      const status = 'containerd.io/restart.status'
      await lab.client.containers.update({ id, labels: { [status]: 'running' } }, ['labels'])
      await lab.server.kill()
      process.kill(task.pid, 'SIGKILL')
      await lab.server.restart()
      await expect
        .poll(async () => (await lab.client.containers.get(id)).labels)
        .toMatchObject({
          'containerd.io/restart.count': '1',
        })
      await expect.poll(() => lab.client.tasks.get(id).then(({ status: now }) => now, String)).toBe('running')
    })
  },
)
