import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { containerSpec, processSpec, tasksOfRuntime } from '@nsbox/compliance/tasks'
import type { DomainEvent } from '@nsbox/core/events'
import type { Tasks } from '@nsbox/core/tasks'
import { errorCode, isNotFound } from '@nsbox/errors'
import { busyboxRootfs, type RootfsMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRuncRuntime } from './open-runc-runtime.ts'
import { type FakeRunc, fakeRunc, type RuncFault } from './testing/fake-runc.ts'

const faults: Readonly<Record<string, RuncFault>> = {
  fails: { fail: 'no way' },
  'does its work and fails': { failAfter: 'no way' },
  'is killed before it does anything': { die: 'before' },
  'is killed after its work': { die: 'after' },
}

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'a runtime whose runc', () => {
  let resources: AsyncDisposableStack
  let runc: FakeRunc
  let path: string
  let tasks: Tasks
  let newContainer: ReturnType<typeof tasksOfRuntime>['newContainer']
  let rootfs: RootfsMount[]
  let events: DomainEvent[]
  let warnings: string[]

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    path = resources.use(await tempDir('nsbox-faulty')).path
    rootfs = await busyboxRootfs(join(path, 'rootfs'))
    await mkdir(join(path, 'fake'))
    runc = await fakeRunc(join(path, 'fake'))
    events = []
    warnings = []
    const runtime = resources.use(
      await openRuncRuntime({
        directory: join(path, 'runtime'),
        binary: runc.binary,
        onEvent: (_namespace, event) => void events.push(event),
        onWarning: (message) => void warnings.push(message),
      }),
    )
    ;({ tasks, newContainer } = tasksOfRuntime(runtime.namespace('faulty')))
    await newContainer('x', containerSpec('x', { args: ['sleep', '1000'] }))
  })
  afterEach(async () => {
    for (const command of ['create', 'start', 'exec', 'delete', 'kill', 'pause', 'resume']) {
      await runc.set(command, undefined)
    }
    const task = await tasks.get('x').catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    if (task !== undefined) await end()
    expect(await left()).toEqual([])
    await resources.disposeAsync()
  })

  const create = (signal?: AbortSignal) => tasks.create('x', { rootfs, signal })
  const code = (operation: Promise<unknown>) => operation.then(() => 'success', errorCode)

  async function end(): Promise<void> {
    if ((await tasks.get('x')).status === 'paused') await tasks.resume('x')
    if ((await tasks.get('x')).status !== 'stopped') {
      await tasks.kill('x', 9)
      await tasks.wait('x')
    }
    await tasks.delete('x')
  }

  /** What is left of containers: bundles, the runtime's state, mounts. */
  async function left(): Promise<string[]> {
    const inside = async (place: string) => {
      return (await readdir(join(path, 'runtime', place)).catch(() => [])).map((name) => `${place}/${name}`)
    }
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
    return [
      ...(await inside('bundles/faulty')),
      ...(await inside('runc/faulty')),
      ...mounts.filter((line) => line.includes(path)),
    ]
  }

  /** The supervisor's records of processes. */
  async function records(): Promise<string[]> {
    const names = await readdir(join(path, 'runtime/supervisor'), { recursive: true })
    return names.filter((name) => name.endsWith('.json'))
  }

  for (const [what, fault] of Object.entries({ ...faults, lies: { lie: '' } })) {
    test(`${what} at create leaves nothing, and nothing is told`, async () => {
      await runc.set('create', fault)
      expect(await code(create())).not.toBe('success')
      expect(await code(tasks.get('x'))).toBe('not_found')
      expect(await left()).toEqual([])
      expect(events).toEqual([])
      await runc.set('create', undefined)
      await create()
    })
  }

  for (const hang of ['before', 'after'] as const) {
    test(`hangs at create, ${hang} its work, leaves nothing once nobody waits`, async () => {
      await runc.set('create', { hang })
      const stop = new AbortController()
      const creating = create(stop.signal)
      await expect.poll(() => runc.hanging()).toContain('create')
      stop.abort(new Error('enough'))
      await expect(creating).rejects.toThrow('enough')
      expect(await left()).toEqual([])
      expect(events).toEqual([])
    })
  }

  test('fails at create and cannot clean up says both', async () => {
    await runc.set('create', { failAfter: 'no way' })
    await runc.set('delete', { fail: 'no way back' })
    await expect(create()).rejects.toThrow('OCI runtime create failed: no way')
    expect(warnings.join()).toContain('container x')
    await runc.set('delete', undefined)
    await promisify(execFile)('runc', ['--root', join(path, 'runtime/runc/faulty'), 'delete', '--force', 'x'])
  })

  for (const [what, fault] of Object.entries({
    fails: faults.fails!,
    'is killed': { die: 'before' as const },
  })) {
    test(`${what} at start leaves the task as it was`, async () => {
      await create()
      await runc.set('start', fault)
      expect(await code(tasks.start('x'))).not.toBe('success')
      expect(await tasks.get('x')).toMatchObject({ status: 'created' })
      expect(events.map(({ topic }) => topic)).toEqual(['/tasks/create'])
      await runc.set('start', undefined)
      await tasks.start('x')
      expect(await tasks.get('x')).toMatchObject({ status: 'running' })
    })
  }

  for (const [what, fault] of Object.entries(faults)) {
    test(`${what} at delete loses nothing, and lets it be done again`, async () => {
      await create()
      await tasks.kill('x', 9)
      await tasks.wait('x')
      await runc.set('delete', fault)
      expect(await code(tasks.delete('x'))).not.toBe('success')
      expect(await tasks.get('x')).toMatchObject({ status: 'stopped' })
      expect(await records()).toHaveLength(1)
      await runc.set('delete', undefined)
      expect((await tasks.delete('x')).exitStatus).toBe(137)
      expect(events.map(({ topic }) => topic)).toEqual(['/tasks/create', '/tasks/exit', '/tasks/delete'])
      expect(await records()).toEqual([])
    })
  }

  for (const [what, fault] of Object.entries({ ...faults, lies: { lie: '' } })) {
    test(`${what} at an exec leaves one that can be deleted, and tells of no start`, async () => {
      await create()
      await tasks.start('x')
      await tasks.exec('x', 'one', { spec: processSpec({ args: ['sleep', '1000'] }) })
      await runc.set('exec', fault)
      expect(await code(tasks.start('x', { execId: 'one' }))).not.toBe('success')
      await tasks.deleteProcess('x', 'one')
      expect(events.map(({ topic }) => topic)).not.toContain('/tasks/exec-started')
      await runc.set('exec', undefined)
      await tasks.exec('x', 'one', { spec: processSpec({ args: ['true'] }) })
      await tasks.start('x', { execId: 'one' })
      expect((await tasks.wait('x', { execId: 'one' })).exitStatus).toBe(0)
    })
  }

  test('cannot freeze all at once is asked again, a few times', async () => {
    await create()
    await tasks.start('x')
    await runc.set('pause', { fail: 'unable to freeze' })
    await expect(tasks.pause('x')).rejects.toThrow('OCI runtime pause failed: unable to freeze')
    expect((await runc.calls()).filter((call) => call === 'pause')).toHaveLength(5)
    expect(await tasks.get('x')).toMatchObject({ status: 'running' })
  })

  test('fails at pause and resume leaves the task as it was', async () => {
    await create()
    await tasks.start('x')
    await runc.set('pause', { fail: 'no way' })
    expect(await code(tasks.pause('x'))).toBe('unknown')
    expect(await tasks.get('x')).toMatchObject({ status: 'running' })
    await runc.set('pause', undefined)
    await tasks.pause('x')
    await runc.set('resume', { fail: 'no way' })
    expect(await code(tasks.resume('x'))).toBe('unknown')
    expect(await tasks.get('x')).toMatchObject({ status: 'paused' })
  })

  test('deletes a container behind its back: who waits is told, signals find nobody', async () => {
    await create()
    await tasks.start('x')
    const waiting = tasks.wait('x')
    await promisify(execFile)('runc', ['--root', join(path, 'runtime/runc/faulty'), 'delete', '--force', 'x'])
    expect((await waiting).exitStatus).toBe(137)
    expect(await code(tasks.kill('x', 9))).toBe('not_found')
    expect((await tasks.delete('x')).exitStatus).toBe(137)
  })

  test('is at the start of an exec when the first process ends has the task end after that', async () => {
    await create()
    const { pid } = await tasks.start('x')
    await tasks.exec('x', 'one', { spec: processSpec({ args: ['true'] }) })
    await runc.set('exec', { hang: 'before' })
    const patience = new AbortController()
    const started = code(tasks.start('x', { execId: 'one', signal: patience.signal }))
    await expect.poll(() => runc.hanging(), { timeout: 10_000 }).toContain('exec')
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
    // An exec can be added until then, as with containerd.
    await tasks.exec('x', 'two', { spec: processSpec({ args: ['true'] }) })
    patience.abort()
    expect(await started).not.toBe('success')
    expect((await tasks.wait('x')).exitStatus).toBe(137)
    expect((await tasks.get('x')).status).toBe('stopped')
  })
})
