import type { CreateTaskOptions } from '@nsbox/core/tasks'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { type Bench, useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import { makeFifos } from './fifo.ts'
import { failure } from './state-error.ts'
import type { CreateTasksSubject } from './subject.ts'

export function failingTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('a task that cannot be made', () => {
    const bench = useBench(create)

    test('for want of a program leaves nothing, and says what runc says', async () => {
      const id = await bench().container({ args: ['nonesuch'] })
      const error = await failure(attempt(bench(), id))
      expect(error.message).toContain(
        'OCI runtime create failed: runc create failed: unable to start container process: exec: "nonesuch": ' +
          'executable file not found in $PATH',
      )
      await expectNothing(bench(), id)
    })

    test('for want of a root filesystem leaves nothing', async () => {
      const id = await bench().container({ args: ['true'] })
      const rootfs = [{ type: 'bind', source: '/nonexistent', options: ['rbind', 'rw'] }]
      const error = await failure(attempt(bench(), id, { rootfs }))
      if (claims.createCodes) expect(error).toMatchObject({ code: 'not_found' })
      await expectNothing(bench(), id)
    })

    test('for want of a FIFO leaves nothing', async () => {
      const id = await bench().container({ args: ['true'] })
      const error = await failure(attempt(bench(), id, { stdout: `${bench().subject.directory}/missing` }))
      if (claims.createCodes) expect(error).toMatchObject({ code: 'not_found' })
      await expectNothing(bench(), id)
    })

    test('since its output can go nowhere leaves nothing', async () => {
      const id = await bench().container({ args: ['true'] })
      const error = await failure(attempt(bench(), id, { stdout: 'carrier-pigeon://roof' }))
      if (claims.createCodes) expect(error).toMatchObject({ code: 'invalid_argument' })
      await expectNothing(bench(), id)
    })

    test('since its options are unknown leaves nothing', async () => {
      const id = await bench().container({ args: ['true'] })
      const options = { typeUrl: 'example.Unknown', value: new Uint8Array([8, 1]) }
      const error = await failure(attempt(bench(), id, { options }))
      if (claims.createCodes) expect(error).toMatchObject({ code: 'invalid_argument' })
      await expectNothing(bench(), id)
    })

    test('since its program cannot be entered leaves nothing', async () => {
      const id = await bench().container({ args: ['true'], cwd: 'relative' })
      await failure(attempt(bench(), id))
      await expectNothing(bench(), id)
    })

    test.skipIf(!claims.abortedCreate)('before a reader comes leaves nothing', async () => {
      const id = await bench().container({ args: ['true'] })
      const stdout = `${bench().subject.directory}/${id}`
      await makeFifos([stdout])
      const stop = new AbortController()
      const creating = attempt(bench(), id, { stdout, signal: stop.signal })
      setTimeout(() => stop.abort(new Error('enough')), 50)
      await expect(creating).rejects.toThrow('enough')
      await expectNothing(bench(), id)
    })
  })
}

async function attempt(bench: Bench, id: string, options: CreateTaskOptions = {}): Promise<unknown> {
  return await bench.tasks.create(id, { rootfs: bench.subject.rootfs, ...options })
}

/** Checks that there is no task and no event of one, and that others can be made. */
async function expectNothing(bench: Bench, id: string): Promise<void> {
  await expectCode(bench.tasks.get(id), 'not_found')
  const listed = await bench.tasks.list()
  expect(listed.filter(({ containerId }) => containerId === id)).toEqual([])
  await using collected = await bench.subject.collectEvents()
  const { out, err: _, ...io } = await bench.ends()
  const again = await bench.container({ args: ['echo', 'fine'] })
  await bench.tasks.create(again, { rootfs: bench.subject.rootfs, ...io })
  await bench.tasks.start(again)
  await bench.tasks.wait(again)
  expect(await out.ended).toBe('fine\n')
  expect(JSON.stringify(collected.events)).not.toContain(`"${id}"`)
}
