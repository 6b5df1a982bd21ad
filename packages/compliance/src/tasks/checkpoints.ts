import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpaqueValue, ProcessIo } from '@nsbox/core/tasks'
import { errorCode } from '@nsbox/errors'
import { describe, expect, test } from 'vitest'
import { type Ends, useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { openFifoWriter } from './fifo.ts'
import { expectStateError, failure } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'

/** CRIU interrupts system calls, after which busybox's sleep ends early. */
const waiting = { args: ['tail', '-f', '/dev/null'] }

export function checkpointTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe.skipIf(!claims.checkpoints)('checkpoints', () => {
    const bench = useBench(create)
    /** runc cannot be dumped, so the program must have been executed. */
    const startedWaiting = async () => {
      const task = await bench().started(waiting)
      if (!claims.executedAtStart)
        await expect.poll(() => readFile(`/proc/${task.pid}/comm`, 'utf8')).toBe('tail\n')
      return task
    }

    for (const status of ['running', 'paused'] as const)
      test(`of a ${status} task leave it ${status}`, async () => {
        const { tasks } = bench()
        const { id, pid } = await startedWaiting()
        if (status === 'paused') await tasks.pause(id)
        expect((await tasks.checkpoint(id)).length).toBeGreaterThan(0)
        expect(await tasks.get(id)).toMatchObject({ status, pid })
      })

    test.skipIf(!claims.repeatedCheckpoints)('can be made again', async () => {
      const { tasks } = bench()
      const { id } = await startedWaiting()
      for (let round = 0; round < 2; round++) expect((await tasks.checkpoint(id)).length).toBeGreaterThan(0)
    })

    test.skipIf(!claims.checkpointEvent)('are told, by what was stored', async () => {
      const { tasks } = bench()
      await using collected = await bench().subject.collectEvents()
      const { id } = await startedWaiting()
      const [stored] = await tasks.checkpoint(id)
      const told = () => collected.events.filter(({ topic }) => topic === '/tasks/checkpointed')
      const payload = { containerId: id, checkpoint: stored?.digest }
      await expect.poll(told).toMatchObject([{ payload }])
    })

    for (const paused of [false, true])
      test(`end a ${paused ? 'paused' : 'running'} task where that is asked for`, async () => {
        const { tasks } = bench()
        await using collected = await bench().subject.collectEvents()
        const { id, pid } = await startedWaiting()
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

    for (const terminal of [false, true])
      test(`are gone on from, with input and output${terminal ? ' by a terminal' : ''}`, async () => {
        const { tasks } = bench()
        const shape = {
          args: ['sh', '-c', 'while read x; do i=$((i+1)); echo "$i:$x"; done; exit 3'],
          terminal,
        }
        const first = await bench().ends({ terminal, stdin: true })
        await using writer = await openFifoWriter(first.stdin)
        const { id } = await bench().started(shape, ioOf(first, terminal))
        await writer.write('a\nb\n')
        await expect.poll(() => first.out.text).toContain('2:b')
        const [checkpoint] = await tasks.checkpoint(id, { options: checkpointOptions({ exit: true }) })
        await tasks.wait(id)
        await tasks.delete(id)

        const second = await bench().ends({ terminal, stdin: true })
        const again = claims.idsFreeAtOnce ? id : await bench().container(shape)
        const { rootfs } = bench().subject
        await tasks.create(again, { rootfs, checkpoint, ...ioOf(second, terminal) })
        await tasks.start(again)
        await using other = await openFifoWriter(second.stdin)
        await other.write('c\n')
        await expect.poll(() => second.out.text).toContain('3:c')
        expect(second.out.text).not.toContain('2:b')
        if (claims.repeatedCheckpoints) expect((await tasks.checkpoint(again)).length).toBeGreaterThan(0)
        await other.write(terminal ? '\x04' : '')
        if (!terminal) {
          await other.close()
          await tasks.closeStdin(again)
        }
        expect((await tasks.wait(again)).exitStatus).toBe(3)
      })

    for (const exit of [false, true])
      test(`are of the first process, and ${exit ? 'end execs with it' : 'do execs no harm'}`, async () => {
        const { tasks } = bench()
        const { id } = await startedWaiting()
        await bench().exec(id, 'one', waiting)
        await tasks.checkpoint(id, { options: checkpointOptions({ exit }) })
        if (exit) expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(137)
        else expect(await tasks.get(id, { execId: 'one' })).toMatchObject({ status: 'running' })
      })

    test('go to a directory that the options name, and nowhere else', async () => {
      const { tasks } = bench()
      const { id } = await startedWaiting()
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
      const { id } = await startedWaiting()
      const options = { typeUrl: 'containerd.runc.v1.Options', value: new Uint8Array() }
      const error = await failure(tasks.checkpoint(id, { options }))
      if (claims.checkpointCodes) expect(errorCode(error)).toBe('invalid_argument')
      expect(await tasks.get(id)).toMatchObject({ status: 'running' })
    })
  })
}

function ioOf({ stdin, stdout, stderr }: Ends, terminal: boolean): ProcessIo {
  return { stdin, stdout, stderr, terminal }
}

/** `containerd.runc.v1.CheckpointOptions`, of which `exit` is field 1 and `image_path` field 8. */
function checkpointOptions({ exit = false, imagePath = '' }): OpaqueValue {
  const path = new TextEncoder().encode(imagePath)
  const value = [...(exit ? [0x08, 1] : []), ...(imagePath === '' ? [] : [0x42, path.length, ...path])]
  return { typeUrl: 'containerd.runc.v1.CheckpointOptions', value: Uint8Array.from(value) }
}
