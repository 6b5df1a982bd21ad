import { existsSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { type Bench, useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { openFifoWriter } from './fifo.ts'
import { expectStateError } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'

const sleep = { args: ['sleep', '1000'] }

export function lifecycleTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('a task', () => {
    const bench = useBench(create)

    test('is created, started, waited for and deleted', async () => {
      const { tasks } = bench()
      const { id, pid } = await bench().created({ args: ['sh', '-c', 'exit 7'] })
      expect(pid).toBeGreaterThan(1)
      expect(await tasks.get(id)).toMatchObject({ containerId: id, execId: '', pid, status: 'created' })
      const waiting = tasks.wait(id)
      expect(await tasks.start(id)).toEqual({ pid })
      const exit = await waiting
      expect(exit.exitStatus).toBe(7)
      expect(Math.abs(Date.now() - exit.exitedAt.epochMilliseconds)).toBeLessThan(60_000)
      expect(await tasks.get(id)).toMatchObject({ pid, status: 'stopped', exit })
      expect(await tasks.delete(id)).toMatchObject({ ...exit, pid })
      await expectCode(tasks.get(id), 'not_found')
    })

    test.skipIf(!claims.executedAtStart)('has executed its program once it is started', async () => {
      const { pid } = await bench().started({ ...sleep, startHook: 'sleep 0.1' })
      expect(readlinkSync(`/proc/${pid}/exe`)).toBe('/bin/busybox')
    })

    test('is started after its hooks, and whoever asks meanwhile is told then', async () => {
      const { tasks } = bench()
      const { id, begun, letGo } = await gated(bench())
      const told: unknown[] = []
      const starting = tasks.start(id).then(() => told.push('started'))
      await begun
      const asking = tasks.get(id).then(({ status }) => told.push(status))
      const listing = statusInList(bench(), id).then((status) => told.push(status))
      await delay(300)
      expect(told).toEqual([])
      await letGo()
      await Promise.all([starting, asking, listing])
      expect(told.sort()).toEqual(['running', 'running', 'started'])
    })

    test('is in an unknown state while its hooks take long', async () => {
      const { tasks } = bench()
      const { id, begun, letGo } = await gated(bench())
      const starting = tasks.start(id)
      await begun
      const asked = Promise.all([tasks.get(id), statusInList(bench(), id)])
      expect(await asked).toMatchObject([{ containerId: id, status: 'unknown' }, 'unknown'])
      await letGo()
      await starting
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test.skipIf(!claims.killWhileStarting)('is killed though a hook of its start takes long', async () => {
      const { tasks } = bench()
      const { id, begun } = await gated(bench())
      const starting = Promise.allSettled([tasks.start(id)])
      await begun
      await tasks.kill(id, 9)
      expect((await tasks.wait(id)).exitStatus).toBe(137)
      await starting
      expect(await tasks.get(id)).toMatchObject({ status: 'stopped' })
      expect((await tasks.delete(id)).exitStatus).toBe(137)
    })

    test.skipIf(!claims.idsFreeAtOnce)('can be made again under the same container', async () => {
      const { tasks } = bench()
      const { id } = await bench().started({ args: ['true'] })
      await tasks.wait(id)
      await tasks.delete(id)
      await tasks.create(id, { rootfs: bench().subject.rootfs })
      await tasks.start(id)
      expect((await tasks.wait(id)).exitStatus).toBe(0)
      await tasks.delete(id)
    })

    for (const status of [0, 1, 2, 42, 127, 128, 254, 255]) {
      test(`ends with the status ${status} that its first process returns`, async () => {
        const { id } = await bench().started({ args: ['sh', '-c', `exit ${status}`] })
        expect((await bench().tasks.wait(id)).exitStatus).toBe(status)
      })
    }

    for (const [name, number] of Object.entries({ HUP: 1, KILL: 9, TERM: 15 })) {
      test(`that SIG${name} ends has the status ${128 + number}`, async () => {
        // The first process of a pid namespace is not ended by a signal without a handler.
        const { id } = await bench().started({ ...sleep, hostPids: true })
        await bench().tasks.kill(id, number)
        expect((await bench().tasks.wait(id)).exitStatus).toBe(128 + number)
      })
    }

    test('has the same end for all who wait, before and after', async () => {
      const { tasks } = bench()
      const { id } = await bench().created({ args: ['sh', '-c', 'exit 3'] })
      const early = [tasks.wait(id), tasks.wait(id), tasks.wait(id)]
      await tasks.start(id)
      const [first, ...others] = await Promise.all([...early, ...early.map(() => tasks.wait(id))])
      for (const other of others) expect(other).toEqual(first)
      expect(await tasks.wait(id)).toEqual(first)
      expect(first).toMatchObject({ exitStatus: 3 })
    })

    test('is waited for no longer than the signal says', async () => {
      const { id } = await bench().idle()
      const stop = new AbortController()
      const waiting = bench().tasks.wait(id, { signal: stop.signal })
      stop.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
      expect(await bench().tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('is listed while it exists', async () => {
      const { tasks } = bench()
      const made: string[] = []
      for (let count = 0; count < 3; count++) made.push((await bench().created(sleep)).id)
      await tasks.start(made[1]!)
      const statuses = async () => {
        const listed = await tasks.list()
        return listed.filter(({ containerId }) => made.includes(containerId)).map(({ status }) => status)
      }
      expect(await statuses()).toEqual(['created', 'running', 'created'])
      await tasks.kill(made[1]!, 9)
      await tasks.wait(made[1]!)
      expect(await statuses()).toEqual(['created', 'stopped', 'created'])
      await tasks.delete(made[1]!)
      expect(await statuses()).toEqual(['created', 'created'])
    })

    test('that was never started can be deleted', async () => {
      const { id, pid } = await bench().created(sleep)
      const deleted = await bench().tasks.delete(id)
      expect(deleted.pid).toBe(pid)
      if (claims.exitOfUnstarted) expect(deleted.exitStatus).toBe(137)
      await expectCode(bench().tasks.get(id), 'not_found')
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    })

    test('that is killed before its start has stopped', async () => {
      const { tasks } = bench()
      const { id } = await bench().created(sleep)
      await tasks.kill(id, 9)
      await tasks.wait(id)
      expect(await tasks.get(id)).toMatchObject({ status: 'stopped' })
      await expectStateError(tasks.start(id), 'cannot start a stopped process', claims)
      await tasks.delete(id)
    })

    test('cannot be deleted while it runs', async () => {
      const { id } = await bench().idle()
      await expectStateError(bench().tasks.delete(id), 'cannot delete a running process', claims)
      expect(await bench().tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('cannot be started twice', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await expectStateError(tasks.start(id), 'cannot start a running process', claims)
      await tasks.kill(id, 9)
      await tasks.wait(id)
      await expectStateError(tasks.start(id), 'cannot start a stopped process', claims)
    })

    test('cannot be created twice', async () => {
      const { id } = await bench().created(sleep)
      const { rootfs } = bench().subject
      await expectCode(bench().tasks.create(id, { rootfs }), 'already_exists')
      expect(await bench().tasks.get(id)).toMatchObject({ status: 'created' })
    })

    test('runs beside many others', async () => {
      await Promise.all(Array.from({ length: 12 }, (_, index) => oneOfMany(bench(), index)))
    })

    test('that has no task is not found', async () => {
      const { tasks } = bench()
      const id = await bench().container(sleep)
      for (const call of everyCall(bench(), id)) await expectCode(call(), 'not_found')
      await expectCode(tasks.create(`${id}-missing`, { rootfs: bench().subject.rootfs }), 'not_found')
    })

    test.skipIf(!claims.identifierCodes)('has an identifier, or the call is refused', async () => {
      for (const id of ['', 'a b', '../a', 'x'.repeat(77)]) {
        for (const call of everyCall(bench(), id)) await expectCode(call(), 'invalid_argument')
      }
    })
  })
}

/** A task with a hook before its program, which a test can wait for and let continue. */
async function gated(bench: Bench) {
  const gate = `/tmp/gate-${Math.random().toString(36).slice(2)}`
  const { id, pid } = await bench.created({ ...sleep, startHook: `mkfifo ${gate}; read line < ${gate}` })
  const outside = `/proc/${pid}/root${gate}`
  return {
    id,
    get begun() {
      return expect.poll(() => existsSync(outside)).toBe(true)
    },
    async letGo() {
      await using writer = await openFifoWriter(outside)
      await writer.write('go\n')
    },
  }
}

async function statusInList({ tasks }: Bench, id: string): Promise<string | undefined> {
  return (await tasks.list()).find(({ containerId }) => containerId === id)?.status
}

async function oneOfMany(bench: Bench, index: number): Promise<void> {
  const { out, err, ...io } = await bench.ends()
  const { id } = await bench.created({ args: ['sh', '-c', `echo ${index}; exit ${index}`] }, io)
  const waiting = bench.tasks.wait(id)
  await bench.tasks.start(id)
  expect((await waiting).exitStatus).toBe(index)
  await bench.tasks.delete(id)
  expect([await out.ended, await err?.ended]).toEqual([`${index}\n`, ''])
}

function everyCall({ tasks }: Bench, id: string): (() => Promise<unknown>)[] {
  return [
    () => tasks.get(id),
    () => tasks.start(id),
    () => tasks.wait(id),
    () => tasks.delete(id),
    () => tasks.kill(id, 9),
    () => tasks.pause(id),
    () => tasks.resume(id),
    () => tasks.pids(id),
    () => tasks.closeStdin(id),
    () => tasks.resize(id, { width: 80, height: 24 }),
  ]
}
