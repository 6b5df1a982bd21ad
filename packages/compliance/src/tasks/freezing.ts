import { describe, expect, test } from 'vitest'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { expectStateError } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'
import { processSpec } from './suite-spec.ts'

export function freezingTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('pausing', () => {
    const bench = useBench(create)

    test('stops all processes, and resuming lets them go on', async () => {
      const { tasks } = bench()
      const { out, err: _, ...io } = await bench().ends({ stdin: false })
      const { id } = await bench().started({ args: ['sh', '-c', 'while :; do echo x; sleep 0.01; done'] }, io)
      await expect.poll(() => out.text.length).toBeGreaterThan(0)
      await tasks.pause(id)
      expect(await tasks.get(id)).toMatchObject({ status: 'paused' })
      let before = -1
      // Output from before the freeze may still be under way.
      await expect
        .poll(
          () => {
            const settled = before === out.text.length
            before = out.text.length
            return settled
          },
          { interval: 100 },
        )
        .toBe(true)
      await tasks.resume(id)
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
      await expect.poll(() => out.text.length).toBeGreaterThan(before)
    })

    test.skipIf(!claims.idempotentPause)('done again does nothing', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await tasks.resume(id)
      await tasks.pause(id)
      await tasks.pause(id)
      expect(await tasks.get(id)).toMatchObject({ status: 'paused' })
      await tasks.resume(id)
      await tasks.resume(id)
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('forbids what needs a running task', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const spec = processSpec({ args: ['true'] })
      await tasks.pause(id)
      await expectStateError(tasks.start(id), 'cannot start a paused process', claims)
      await expectStateError(tasks.delete(id), 'cannot delete a paused process', claims)
      await expectStateError(tasks.exec(id, 'one', { spec }), 'cannot exec in a paused state', claims)
      await tasks.resume(id)
    })

    test('is for running tasks', async () => {
      const { tasks } = bench()
      const { id } = await bench().created({ args: ['true'] })
      await expectStateError(tasks.pause(id), 'cannot pause task in created state', claims)
      await expectStateError(tasks.resume(id), 'cannot resume task in created state', claims)
      await tasks.start(id)
      await tasks.wait(id)
      await expectStateError(tasks.pause(id), 'cannot pause a stopped container', claims)
      await expectStateError(tasks.resume(id), 'cannot resume a stopped container', claims)
    })

    test.skipIf(!claims.killPaused)('does not keep a task from being killed', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await tasks.pause(id)
      await tasks.kill(id, 9)
      await tasks.resume(id).catch(() => undefined)
      expect((await tasks.wait(id)).exitStatus).toBe(137)
      await tasks.delete(id)
    })
  })
}
