import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { FifoReader, makeFifos, openFifoWriter } from './fifo.ts'
import type { CreateTasksSubject } from './subject.ts'

/** More than all pipes on the way can hold. */
const flood = 'yes 0123456789012345678901234567890123456789 | head -n 40000'
const floodSize = 40_000 * 41

export function stdioTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('input and output', () => {
    const bench = useBench(create)

    test('are told apart', async () => {
      const ended = await bench().output({ args: ['sh', '-c', 'echo out; echo err >&2; exit 4'] })
      expect(ended).toEqual({ out: 'out\n', err: 'err\n', exitStatus: 4 })
    })

    test('are told of the process', async () => {
      const { out: _out, err: _err, ...io } = await bench().ends({ stdin: true })
      const { id } = await bench().created({ args: ['true'] }, io)
      expect(await bench().tasks.get(id)).toMatchObject({ ...io, terminal: false })
    })

    test('may be nothing at all', async () => {
      const { id } = await bench().started({ args: ['sh', '-c', 'cat; echo x; echo y >&2'] })
      expect((await bench().tasks.wait(id)).exitStatus).toBe(0)
    })

    test('may go to one FIFO together', async () => {
      const { out, err, ...io } = await bench().ends()
      err?.close()
      const { id } = await bench().started(
        { args: ['sh', '-c', 'echo one; echo two >&2'] },
        { stdout: io.stdout, stderr: io.stdout },
      )
      await bench().tasks.wait(id)
      expect((await out.ended).split('\n').sort()).toEqual(['', 'one', 'two'])
    })

    test('pass on what is written to the input, and its end', async () => {
      const { out, err: _, ...io } = await bench().ends({ stdin: true })
      await using writer = await openFifoWriter(io.stdin)
      const { id } = await bench().started({ args: ['cat'] }, io)
      await writer.write('hello\n')
      await expect.poll(() => out.text).toBe('hello\n')
      await writer.write('goodbye\n')
      await expect.poll(() => out.text).toBe('hello\ngoodbye\n')
      await writer.close()
      await bench().tasks.closeStdin(id)
      expect((await bench().tasks.wait(id)).exitStatus).toBe(0)
      expect(await out.ended).toBe('hello\ngoodbye\n')
    })

    for (const terminal of [false, true])
      for (const when of ['before the start', 'after the start'] as const)
        test(`take what comes after a close ${when}${terminal ? ', with a terminal' : ''}`, async () => {
          const { tasks } = bench()
          const { out, err: _, ...io } = await bench().ends({ terminal, stdin: true })
          await using writer = await openFifoWriter(io.stdin)
          const shape = { args: ['sh', '-c', 'read a; echo "got:$a"; exit 4'], terminal }
          const { id } = await bench().created(shape, { ...io, terminal })
          if (when === 'before the start') await tasks.closeStdin(id)
          await tasks.start(id)
          for (let time = 0; time < 2; time++) await tasks.closeStdin(id)
          await delay(200)
          await writer.write('hello\n')
          expect((await tasks.wait(id)).exitStatus).toBe(4)
          await tasks.closeStdin(id)
          await tasks.delete(id)
          expect(await out.ended).toContain('got:hello')
        })

    test('end the input once the server and the client have closed their ends, whoever comes first', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const ended: string[] = []
      for (const first of ['server', 'client']) {
        const { out, err: _, ...io } = await bench().ends({ stdin: true })
        const writer = await openFifoWriter(io.stdin)
        await writer.write('hello\n')
        await bench().exec(id, first, { args: ['cat'] }, io)
        await expect.poll(() => out.text).toBe('hello\n')
        if (first === 'server') await tasks.closeStdin(id, { execId: first })
        await writer.close()
        if (first === 'client') await tasks.closeStdin(id, { execId: first })
        await tasks.wait(id, { execId: first })
        ended.push(await out.ended)
      }
      expect(ended).toEqual(['hello\n', 'hello\n'])
    })

    test('end the input of a client that never came', async () => {
      const { tasks } = bench()
      const { out, err: _, ...io } = await bench().ends({ stdin: true })
      const { id } = await bench().created({ args: ['cat'] }, io)
      await tasks.closeStdin(id)
      await tasks.start(id)
      expect((await tasks.wait(id)).exitStatus).toBe(0)
      expect(await out.ended).toBe('')
    })

    test('are whole, however much it is', async () => {
      const { out, exitStatus } = await bench().output({ args: ['sh', '-c', flood] })
      expect({ length: out.length, exitStatus }).toEqual({ length: floodSize, exitStatus: 0 })
    })

    test('wait for a reader that is slow', async () => {
      const { out, err: _, ...io } = await bench().ends()
      out.pause()
      const { id } = await bench().started({ args: ['sh', '-c', flood] }, io)
      // It cannot end before somebody reads.
      const early = await Promise.race([
        bench().tasks.wait(id),
        new Promise((resolve) => setTimeout(resolve, 300)),
      ])
      expect(early).toBeUndefined()
      out.resume()
      expect((await bench().tasks.wait(id)).exitStatus).toBe(0)
      expect((await out.ended).length).toBe(floodSize)
    })

    test('wait for readers that come late', async () => {
      const directory = await mkdtemp(join(bench().subject.directory, 'late-'))
      const [stdout, stderr] = [join(directory, 'out'), join(directory, 'err')]
      await makeFifos([stdout, stderr])
      const id = await bench().container({ args: ['echo', 'late'] })
      const creating = bench().tasks.create(id, { rootfs: bench().subject.rootfs, stdout, stderr })
      // Before the readers come, there is no task to start.
      await new Promise((resolve) => setTimeout(resolve, 100))
      const readers = [FifoReader.open(stdout), FifoReader.open(stderr)]
      await creating
      await bench().tasks.start(id)
      await bench().tasks.wait(id)
      expect(await Promise.all(readers.map(({ ended }) => ended))).toEqual(['late\n', ''])
    })

    test('do not end a process whose reader has vanished', async () => {
      const { out, err, ...io } = await bench().ends()
      const script = `echo first; while [ ! -e /tmp/go-$0 ]; do sleep 0.01; done; echo second; echo third >&2; exit 3`
      const mark = Math.random().toString(36).slice(2)
      const { id } = await bench().started({ args: ['sh', '-c', script, mark] }, io)
      await expect.poll(() => out.text).toBe('first\n')
      out.close()
      err?.close()
      await bench().exec(id, 'go', { args: ['touch', `/tmp/go-${mark}`] })
      expect((await bench().tasks.wait(id)).exitStatus).toBe(3)
      await bench().tasks.delete(id)
    })

    test.skipIf(!claims.secondReader)('go on to a reader that comes after another has left', async () => {
      const { out, err: _, ...io } = await bench().ends()
      const script = `echo first; while [ ! -e /tmp/go-$0 ]; do sleep 0.01; done; echo second`
      const mark = Math.random().toString(36).slice(2)
      const { id } = await bench().started({ args: ['sh', '-c', script, mark] }, io)
      await expect.poll(() => out.text).toBe('first\n')
      out.close()
      const second = FifoReader.open(io.stdout)
      await bench().exec(id, 'go', { args: ['touch', `/tmp/go-${mark}`] })
      await bench().tasks.wait(id)
      expect(await second.ended).toBe('second\n')
    })

    test('do not hold up the end for what a background process still holds', async () => {
      const { tasks } = bench()
      const { out, err: _, ...io } = await bench().ends()
      const { id } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sh', '-c', 'sleep 1000 & echo done'] }, io)
      expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(0)
      await tasks.deleteProcess(id, 'one')
      expect(await out.ended).toBe('done\n')
    }, 20_000)

    test('can be opened by their names by a user without privileges', async () => {
      const script = 'echo out > /dev/stdout; echo err > /dev/stderr; id -u'
      const ended = await bench().output({ args: ['sh', '-c', script], uid: 1000 })
      expect(ended).toEqual({ out: 'out\n1000\n', err: 'err\n', exitStatus: 0 })
    })
  })
}
