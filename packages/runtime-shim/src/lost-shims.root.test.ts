import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { containerSpec, tasksOfRuntime } from '@nsbox/compliance/tasks'
import type { DomainEvent, Event } from '@nsbox/core/events'
import type { Tasks } from '@nsbox/core/tasks'
import { errorCode, isErrno } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openShimLab, runcShim, type ShimLab } from './testing/shim-lab.ts'

const code = (operation: Promise<unknown>) => operation.then(() => 'success', errorCode)

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** The parent of a container's first process is its shim. */
async function shimOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1])
}

describeWith({ root: true, linux: true, programs: [runcShim, 'runc', 'busybox'] }, 'a shim', () => {
  let lab: ShimLab
  let tasks: Tasks
  let newContainer: ReturnType<typeof tasksOfRuntime>['newContainer']
  let events: Event[]

  const id = () => `lost-${process.pid}`
  const bundle = () => join(lab.directory, 'bundles', 'lost', id())
  const use = async () => {
    ;({ tasks, newContainer } = tasksOfRuntime(lab.runtime.namespace('lost'), runcShim))
    await newContainer(id(), containerSpec(id(), { args: ['sleep', '1000'] }))
  }
  const restart = async (meanwhile?: () => Promise<void>) => {
    await lab.restart(meanwhile)
    await use()
  }
  const started = async (): Promise<{ pid: number; shim: number }> => {
    const { pid } = await tasks.create(id(), { rootfs: lab.rootfs })
    await tasks.start(id())
    return { pid, shim: await shimOf(pid) }
  }
  const ended = (pid: number) => expect.poll(() => exists(`/proc/${pid}`)).toBe(false)
  const told = (topic: string) => events.filter((event) => event.topic === topic)

  beforeEach(async () => {
    lab = await openShimLab()
    events = []
    lab.listeners.add((event) => void events.push(event))
    await use()
  })
  afterEach(async () => {
    await lab.runtime.endAll()
    expect(await readdir(join(lab.directory, 'bundles')).catch(() => [])).toEqual([])
    await lab[Symbol.asyncDispose]()
  })

  test('goes on without a server, and its task is there again, and its log', async () => {
    const { pid, shim } = await started()
    await restart()
    expect(await tasks.get(id())).toMatchObject({ pid, status: 'running' })
    expect(await shimOf(pid)).toBe(shim)
    expect(await readFile(join(bundle(), 'shim-binary-path'), 'utf8')).toBe(runcShim)
    await writeFile(join(bundle(), 'log'), 'said later\n')
    await expect.poll(() => lab.logged).toContain(`lost/${id()} said later`)
    expect(await code(tasks.create(id(), { rootfs: lab.rootfs }))).toBe('already_exists')
    const waiting = tasks.wait(id())
    await tasks.kill(id(), 9)
    expect((await waiting).exitStatus).toBe(137)
    expect(await tasks.delete(id())).toMatchObject({ exitStatus: 137, pid })
    expect(await exists(bundle())).toBe(false)
    await ended(shim)
    await expect.poll(() => told('/tasks/exit').length).toBe(1)
    expect(lab.warnings).toEqual([])
  })

  test('is taken over by a record of the first program that had shims, and left alone by one of a newer', async () => {
    const { pid, shim } = await started()
    const path = join(bundle(), 'shim.json')
    const { bootstrap } = JSON.parse(await readFile(path, 'utf8'))
    const values: Record<string, unknown> = { binary: runcShim, pid, ...bootstrap }
    const text = await readFile(join(import.meta.dirname, 'testing/records/1-first.json'), 'utf8')
    const first = JSON.parse(text, (_, value) =>
      typeof value === 'string' && value.startsWith('$') ? values[value.slice(1)] : value,
    )
    const newer = JSON.stringify({ ...first, format: 2, pid: { first: pid } })
    await expect(restart(() => writeFile(path, newer))).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining(
        'has format 2, this program knows formats up to 1: use a newer program',
      ),
    })
    expect(await readFile(path, 'utf8')).toBe(newer)
    expect(await shimOf(pid)).toBe(shim)
    await restart(() => writeFile(path, JSON.stringify(first)))
    expect(await tasks.get(id())).toMatchObject({ pid, status: 'running' })
    await tasks.kill(id(), 9)
    expect((await tasks.wait(id())).exitStatus).toBe(137)
    await tasks.delete(id())
    expect(lab.warnings).toEqual([])
  })

  test('tells an end without a server once, though it repeats it', async () => {
    const { pid } = await started()
    const before = lab.forwarded.length
    await restart(async () => {
      process.kill(pid, 'SIGKILL')
      await ended(pid)
    })
    expect(await tasks.get(id())).toMatchObject({ status: 'stopped', exit: { exitStatus: 137 } })
    await expect.poll(() => lab.forwarded.slice(before)).toContain('/tasks/exit')
    const payload = { containerId: id(), id: id(), pid, exitStatus: 137 }
    expect(told('/tasks/exit')).toMatchObject([{ payload }])
    // The next server knows that the end was reported.
    await restart()
    expect(told('/tasks/exit').length).toBe(1)
  })

  for (const alone of [false, true])
    test(`is cleaned up after when it was killed${alone ? ' while there was no server' : ''}`, async () => {
      const { pid, shim } = await started()
      const waiting = alone ? undefined : tasks.wait(id())
      const kill = async () => {
        process.kill(shim, 'SIGKILL')
        await ended(shim)
      }
      if (alone) await restart(kill)
      else await kill()
      if (waiting !== undefined) expect((await waiting).exitStatus).toBe(137)
      await ended(pid)
      await expect.poll(() => exists(bundle())).toBe(false)
      await expect.poll(() => code(tasks.get(id()))).toBe('not_found')
      const exit = { containerId: id(), pid, exitStatus: 137 }
      expect(told('/tasks/exit')).toMatchObject([{ payload: { ...exit, id: id() } }])
      expect(told('/tasks/delete')).toMatchObject([{ payload: { ...exit, id: '' } }])
      // A second task of the same id can be made.
      const again = await started()
      expect(await tasks.get(id())).toMatchObject({ pid: again.pid, status: 'running' })
    })

  test('that has ended makes every call not found, once it is cleaned up after', async () => {
    const { shim } = await started()
    process.kill(shim, 'SIGKILL')
    await ended(shim)
    const calls = [tasks.get(id()), tasks.kill(id(), 9), tasks.pause(id()), tasks.delete(id())]
    expect(await Promise.all(calls.map(code))).toEqual(calls.map(() => 'not_found'))
    expect(await tasks.list()).toEqual([])
  })

  test('is not left behind by what was begun and not completed', async () => {
    const { pid, shim } = await started()
    const record = join(bundle(), 'shim.json')
    await lab.restart(async () => {
      // As when the server ends before the shim has answered.
      await writeFile(record, (await readFile(record, 'utf8')).replace(`"pid":${pid}`, '"pid":0'))
      await mkdir(join(lab.directory, 'bundles', 'lost', 'empty', 'rootfs'), { recursive: true })
    })
    await ended(pid)
    await ended(shim)
    expect(await readdir(join(lab.directory, 'bundles'))).toEqual([])
    await use()
    expect(await code(tasks.get(id()))).toBe('not_found')
  })

  test('that is gone with its bundle’s socket file is cleaned up after, too', async () => {
    const { pid, shim } = await started()
    const { bootstrap } = JSON.parse(await readFile(join(bundle(), 'shim.json'), 'utf8'))
    await restart(async () => {
      process.kill(shim, 'SIGKILL')
      await ended(shim)
      await rm(bootstrap.path, { force: true })
    })
    await ended(pid)
    expect((told('/tasks/exit') as DomainEvent[]).length).toBe(1)
  })
})
