import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { failure } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'

export function signalTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('signals', () => {
    const bench = useBench(create)

    test('reach the handlers of the first process', async () => {
      const { out, err: _, ...io } = await bench().ends()
      const script = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.01; done'
      const { id } = await bench().started({ args: ['sh', '-c', script] }, io)
      await expect.poll(() => out.text).toBe('ready\n')
      await bench().tasks.kill(id, 15)
      expect((await bench().tasks.wait(id)).exitStatus).toBe(9)
    })

    test('reach all processes', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      await bench().exec(id, 'two', { args: ['sh', '-c', 'sleep 1000 & wait'] })
      await tasks.kill(id, 9, { all: true })
      const ends = [tasks.wait(id), tasks.wait(id, { execId: 'one' }), tasks.wait(id, { execId: 'two' })]
      expect((await Promise.all(ends)).map(({ exitStatus }) => exitStatus)).toEqual([137, 137, 137])
    })

    test('reach one exec alone, whether all are meant besides or not', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      await tasks.kill(id, 9, { execId: 'one', all: true })
      expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(137)
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('find nobody after the end', async () => {
      const { tasks } = bench()
      const { id } = await bench().started({ args: ['true'] })
      await tasks.wait(id)
      expect((await failure(tasks.kill(id, 9))).message).toContain('process already finished')
      await expectCode(tasks.kill(id, 9), 'not_found')
    })

    test('are numbers that exist', async () => {
      const { id } = await bench().idle()
      for (const number of [65, 77, 1000]) {
        const error = await failure(bench().tasks.kill(id, number))
        if (claims.signalCodes) expect(error).toMatchObject({ code: 'invalid_argument' })
      }
      expect(await bench().tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test.skipIf(!claims.killByPid)('reach any process of the container by its number', async () => {
      const { tasks } = bench()
      const { id, pid: first } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sh', '-c', 'sleep 1000; exit 6'] })
      await expect.poll(async () => (await tasks.pids(id)).length).toBe(3)
      const { pid: shell } = await tasks.get(id, { execId: 'one' })
      const child = (await tasks.pids(id)).find(({ pid }) => pid !== first && pid !== shell)?.pid
      await tasks.kill(id, 9, { pid: child })
      expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(6)
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test.skipIf(!claims.killByPid)('D14 reach nobody outside the container by a number', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const other = await bench().idle()
      const outside = spawn('sleep', ['1000'], { stdio: 'ignore' })
      try {
        const missing = 2 ** 22 - 1
        for (const pid of [outside.pid!, other.pid, process.pid, 1, missing]) {
          await expectCode(tasks.kill(id, 9, { pid }), 'not_found')
        }
        for (const pid of [0, -1, 1.5, Number.NaN]) {
          await expectCode(tasks.kill(id, 9, { pid }), 'invalid_argument')
        }
        expect(outside.exitCode).toBeNull()
        expect(await tasks.get(other.id)).toMatchObject({ status: 'running' })
        expect(await tasks.get(id)).toMatchObject({ status: 'running' })
      } finally {
        outside.kill('SIGKILL')
        await once(outside, 'exit')
      }
    })

    test.skipIf(!claims.killByPid)('go to one choice only', async () => {
      const { id, pid } = await bench().idle()
      const { tasks } = bench()
      await expectCode(tasks.kill(id, 9, { all: true, pid }), 'invalid_argument')
      await expectCode(tasks.kill(id, 9, { execId: 'one', pid }), 'invalid_argument')
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('that end the first process end all others, in the host’s pid namespace as well', async () => {
      const { tasks } = bench()
      const { out, err: _, ...io } = await bench().ends()
      const script = 'sleep 1000 & echo $!; wait'
      const { id } = await bench().started({ args: ['sh', '-c', script], hostPids: true }, io)
      await expect.poll(() => out.text).toMatch(/^\d+\n$/)
      await tasks.kill(id, 9)
      await tasks.wait(id)
      await tasks.delete(id)
      await expect.poll(() => isThere(Number(out.text))).toBe(false)
    })
  })
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
