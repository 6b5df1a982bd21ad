import { describe, expect, test } from 'vitest'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { openFifoWriter } from './fifo.ts'
import { expectStateError } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'

export function terminalTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('a terminal', () => {
    const bench = useBench(create)

    test('belongs to the first process, and takes sizes', async () => {
      const { tasks } = bench()
      const { out, err: _, ...io } = await bench().ends({ terminal: true, stdin: true })
      await using writer = await openFifoWriter(io.stdin)
      const shape = { args: ['sh'], terminal: true }
      const { id } = await bench().created(shape, { ...io, terminal: true })
      expect(await tasks.get(id)).toMatchObject({ terminal: true })
      await tasks.resize(id, { width: 91, height: 37 })
      await tasks.start(id)
      await writer.write('tty && stty size\n')
      await expect.poll(() => out.text).toMatch(/\/dev\/(pts\/0|console)\r\n37 91\r\n/)
      await tasks.resize(id, { width: 100, height: 40 })
      await writer.write('stty size\n')
      await expect.poll(() => out.text).toContain('40 100\r\n')
      await writer.write('exit 12\n')
      expect((await tasks.wait(id)).exitStatus).toBe(12)
      await out.ended
      await tasks.delete(id)
    })

    test('belongs to an exec', async () => {
      const { tasks } = bench()
      const { out, err: _, ...io } = await bench().ends({ terminal: true, stdin: true })
      await using writer = await openFifoWriter(io.stdin)
      const { id } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sh'], terminal: true }, io)
      await tasks.resize(id, { width: 70, height: 20 }, { execId: 'one' })
      await writer.write('stty size; exit 2\n')
      expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(2)
      expect(await out.ended).toContain('20 70\r\n')
      await tasks.deleteProcess(id, 'one')
    })

    test('sends the signals of its keys', async () => {
      const { tasks } = bench()
      const { out, err: _, ...io } = await bench().ends({ terminal: true, stdin: true })
      await using writer = await openFifoWriter(io.stdin)
      const { id } = await bench().idle()
      const script = 'trap "exit 66" INT; echo ready; while :; do sleep 0.01; done'
      await bench().exec(id, 'one', { args: ['sh', '-c', script], terminal: true }, io)
      await expect.poll(() => out.text).toBe('ready\r\n')
      await writer.write('\x03')
      expect((await tasks.wait(id, { execId: 'one' })).exitStatus).toBe(66)
    })

    test.skipIf(!claims.resizeNeedsTerminal)('has a size, other processes have none', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      const size = { width: 80, height: 24 }
      await expectStateError(tasks.resize(id, size), 'terminal', claims)
      await expectStateError(tasks.resize(id, size, { execId: 'one' }), 'terminal', claims)
    })
  })
}
