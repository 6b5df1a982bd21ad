import { describe, expect, test } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { expectStateError, failure } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'
import { processSpec } from './suite-spec.ts'

const spec = processSpec({ args: ['true'] })

export function execTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('an exec', () => {
    const bench = useBench(create)

    test('is added, started, waited for and deleted', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const execId = 'one'
      await tasks.exec(id, execId, { spec: processSpec({ args: ['sh', '-c', 'exit 5'] }) })
      expect(await tasks.get(id, { execId })).toMatchObject({ execId, pid: 0, status: 'created' })
      const { pid } = await tasks.start(id, { execId })
      expect(pid).toBeGreaterThan(1)
      const exit = await tasks.wait(id, { execId })
      expect(exit.exitStatus).toBe(5)
      expect(await tasks.get(id, { execId })).toMatchObject({ execId, pid, status: 'stopped', exit })
      expect(await tasks.deleteProcess(id, execId)).toMatchObject({ ...exit, pid })
      await expectCode(tasks.get(id, { execId }), 'not_found')
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('has input and output of its own', async () => {
      const { id } = await bench().idle()
      const { out, err, ...io } = await bench().ends()
      await bench().exec(id, 'one', { args: ['sh', '-c', 'echo out; echo err >&2'] }, io)
      expect([await out.ended, await err?.ended]).toEqual(['out\n', 'err\n'])
    })

    test('can be waited for before its start', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await tasks.exec(id, 'one', { spec })
      const waiting = tasks.wait(id, { execId: 'one' })
      await tasks.start(id, { execId: 'one' })
      expect((await waiting).exitStatus).toBe(0)
    })

    test('is one of many at once, each with its own end', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const statuses = Array.from({ length: 20 }, (_, index) => index)
      const ends = await Promise.all(
        statuses.map(async (status) => {
          const execId = `exec-${status}`
          await bench().exec(id, execId, { args: ['sh', '-c', `exit ${status}`] })
          const { exitStatus } = await tasks.wait(id, { execId })
          await tasks.deleteProcess(id, execId)
          return exitStatus
        }),
      )
      expect(ends).toEqual(statuses)
    }, 60_000)

    test('can be given a signal, and not once it has ended', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const execId = 'one'
      await tasks.exec(id, execId, { spec: processSpec({ args: ['sleep', '1000'] }) })
      expect((await failure(tasks.kill(id, 9, { execId }))).message).toContain('process not created')
      await expectCode(tasks.kill(id, 9, { execId }), 'failed_precondition')
      await tasks.start(id, { execId })
      await expectStateError(tasks.deleteProcess(id, execId), 'cannot delete a running process', claims)
      if (claims.restartedExec) {
        await expectStateError(tasks.start(id, { execId }), 'cannot start a running process', claims)
      }
      await tasks.kill(id, 15, { execId })
      expect((await tasks.wait(id, { execId })).exitStatus).toBe(143)
      await expectCode(tasks.kill(id, 15, { execId }), 'not_found')
      if (claims.restartedExec) {
        await expectStateError(tasks.start(id, { execId }), 'cannot start a stopped process', claims)
      }
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('that cannot be started says why and can be deleted', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await tasks.exec(id, 'one', { spec: processSpec({ args: ['nonesuch'] }) })
      const error = await failure(tasks.start(id, { execId: 'one' }))
      expect(error.message).toContain('OCI runtime exec failed')
      expect(error.message).toContain('exec: "nonesuch": executable file not found in $PATH')
      await tasks.deleteProcess(id, 'one')
      await expectCode(tasks.get(id, { execId: 'one' }), 'not_found')
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('that was never started can be deleted', async () => {
      const { id } = await bench().idle()
      await bench().tasks.exec(id, 'one', { spec })
      expect(await bench().tasks.deleteProcess(id, 'one')).toMatchObject({ pid: 0 })
      await expectCode(bench().tasks.deleteProcess(id, 'one'), 'not_found')
    })

    test('has an id of its own that is an identifier', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await tasks.exec(id, 'one', { spec })
      await expectCode(tasks.exec(id, 'one', { spec }), 'already_exists')
      await tasks.deleteProcess(id, 'one')
      await tasks.exec(id, 'one', { spec })
      for (const bad of ['', 'a b', '../a']) {
        await expectCode(tasks.exec(id, bad, { spec }), 'invalid_argument')
      }
    })

    test('is not found if there is none', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const execId = 'none'
      for (const call of [
        () => tasks.get(id, { execId }),
        () => tasks.start(id, { execId }),
        () => tasks.wait(id, { execId }),
        () => tasks.kill(id, 9, { execId }),
        () => tasks.deleteProcess(id, execId),
      ]) {
        await expectCode(call(), 'not_found')
      }
    })

    test('can be part of a task that was not started yet', async () => {
      const { id } = await bench().created({ args: ['sleep', '1000'] })
      await bench().exec(id, 'one', { args: ['true'] })
      expect((await bench().tasks.wait(id, { execId: 'one' })).exitStatus).toBe(0)
    })

    test('cannot be added to a task that has stopped, nor started in it', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await tasks.exec(id, 'one', { spec })
      await tasks.kill(id, 9)
      await tasks.wait(id)
      await expectStateError(tasks.exec(id, 'two', { spec }), 'cannot exec in a stopped state', claims)
      const error = await failure(tasks.start(id, { execId: 'one' }))
      if (claims.stateCodes) expect(error).toMatchObject({ code: 'failed_precondition' })
    })

    test('ends with its task', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      await tasks.kill(id, 9)
      await tasks.wait(id)
      expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(137)
      await tasks.delete(id)
      await expectCode(tasks.wait(id, { execId: 'one' }), 'not_found')
    })

    test('ends with its task in the host’s pid namespace as well', async () => {
      const { tasks } = bench()
      const { id } = await bench().started({ args: ['sleep', '1000'], hostPids: true })
      const pid = await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      await tasks.kill(id, 9)
      await tasks.wait(id)
      expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(137)
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
      await tasks.delete(id)
    })
  })
}
