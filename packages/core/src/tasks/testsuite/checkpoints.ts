import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { OpaqueValue } from '../../opaque-value.ts'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { expectStateError } from './state-error.ts'
import type { CreateTasksSubject } from './tasks-subject.ts'

/** CRIU interrupts system calls, which busybox's sleep takes for the end of its time. */
const waiting = { args: ['tail', '-f', '/dev/null'] }

export function checkpointTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe.skipIf(!claims.checkpoints)('checkpoints', () => {
    const bench = useBench(create)

    test('of a running task leave it running, those of a paused one paused', async () => {
      const { tasks } = bench()
      await using collected = await bench().subject.collectEvents()
      const { id, pid } = await bench().started(waiting)
      expect((await tasks.checkpoint(id)).length).toBeGreaterThan(0)
      expect(await tasks.get(id)).toMatchObject({ status: 'running', pid })
      await tasks.pause(id)
      expect((await tasks.checkpoint(id)).length).toBeGreaterThan(0)
      expect(await tasks.get(id)).toMatchObject({ status: 'paused', pid })
      await tasks.resume(id)
      const told = () => collected.events.filter(({ topic }) => topic === '/tasks/checkpointed')
      await expect.poll(() => told().length).toBe(2)
      expect(told()).toMatchObject([{ payload: { containerId: id } }, { payload: { containerId: id } }])
    })

    for (const paused of [false, true])
      test(`end a ${paused ? 'paused' : 'running'} task where that is asked for`, async () => {
        const { tasks } = bench()
        await using collected = await bench().subject.collectEvents()
        const { id, pid } = await bench().started(waiting)
        if (paused) await tasks.pause(id)
        const ended = tasks.wait(id)
        await tasks.checkpoint(id, { options: checkpointOptions({ exit: true }) })
        const exit = await ended
        expect(exit.exitStatus).toBe(137)
        expect(await tasks.get(id)).toMatchObject({ status: 'stopped', exit })
        expect(await tasks.delete(id)).toEqual({ ...exit, pid })
        const exits = () => collected.events.filter(({ topic }) => topic === '/tasks/exit')
        await expect.poll(exits).toMatchObject([{ payload: { containerId: id, id, pid, ...exit } }])
      })

    test('go to a directory that the options name, and nowhere else', async () => {
      const { tasks } = bench()
      const { id } = await bench().started(waiting)
      const imagePath = join(bench().subject.directory, `images-${id}`)
      expect(await tasks.checkpoint(id, { options: checkpointOptions({ imagePath }) })).toEqual([])
      expect(await readdir(imagePath)).toContain('inventory.img')
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })

    test('are for tasks that have been started and have not ended', async () => {
      const { tasks } = bench()
      const { id } = await bench().created({ args: ['true'] })
      await expectStateError(tasks.checkpoint(id), 'cannot checkpoint a task in created state', claims)
      await tasks.start(id)
      await tasks.wait(id)
      await expectStateError(tasks.checkpoint(id), 'cannot checkpoint a stopped container', claims)
      await expect(tasks.checkpoint('nonesuch')).rejects.toMatchObject({ code: 'not_found' })
    })

    test('are refused for options of another kind', async () => {
      const { tasks } = bench()
      const { id } = await bench().started(waiting)
      const options = { typeUrl: 'containerd.runc.v1.Options', value: new Uint8Array() }
      await expect(tasks.checkpoint(id, { options })).rejects.toMatchObject({ code: 'invalid_argument' })
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })
  })
}

/** `containerd.runc.v1.CheckpointOptions`, of which `exit` is field 1 and `image_path` field 8. */
function checkpointOptions({ exit = false, imagePath = '' }): OpaqueValue {
  const path = new TextEncoder().encode(imagePath)
  const value = [...(exit ? [0x08, 1] : []), ...(imagePath === '' ? [] : [0x42, path.length, ...path])]
  return { typeUrl: 'containerd.runc.v1.CheckpointOptions', value: Uint8Array.from(value) }
}
