import type { ProcessStatus } from '@nsbox/core/tasks'
import { errorCode, NsboxError } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { whilePaused } from './while-paused.ts'

/** A task, as far as it is frozen, with faults that real servers do not produce on demand. */
function fakeTask(status: ProcessStatus, faults: { pause?: Error; refuse?: Error[]; resume?: Error[] } = {}) {
  const task = { status, calls: [] as string[] }
  const failures = [...(faults.resume ?? [])]
  const refusals = [...(faults.refuse ?? [])]
  const process = { containerId: 'x', execId: '', pid: 1, stdin: '', stdout: '', stderr: '', terminal: false }
  return {
    task,
    get: async () => ({ ...process, status: task.status }),
    pause: async () => {
      task.calls.push('pause')
      const refusal = refusals.shift()
      if (refusal) throw refusal
      task.status = 'paused'
      if (faults.pause) throw faults.pause
    },
    resume: async () => {
      task.calls.push('resume')
      const failure = failures.shift()
      if (failure) throw failure
      if (task.status === 'stopped') throw new NsboxError('unknown', 'no process')
      task.status = 'running'
    },
  }
}

test('a task is frozen meanwhile and goes on', async () => {
  const tasks = fakeTask('running')
  expect(await whilePaused(tasks, 'x', async () => tasks.task.status)).toBe('paused')
  expect(tasks.task).toEqual({ status: 'running', calls: ['pause', 'resume'] })
})

test('a task that was frozen stays so, whatever comes', async () => {
  const tasks = fakeTask('paused')
  expect(await whilePaused(tasks, 'x', async () => 1)).toBe(1)
  await expect(whilePaused(tasks, 'x', () => Promise.reject(new Error('work')))).rejects.toThrow('work')
  expect(tasks.task).toEqual({ status: 'paused', calls: [] })
})

test('a task that runc could not freeze in time is tried again, a few times', async () => {
  const refuse = (count: number) =>
    Array.from(
      { length: count },
      () => new NsboxError('unknown', 'OCI runtime pause failed: unable to freeze'),
    )
  const busy = fakeTask('running', { refuse: refuse(4) })
  expect(await whilePaused(busy, 'x', async () => busy.task.status)).toBe('paused')
  const busier = fakeTask('running', { refuse: refuse(5) })
  await expect(whilePaused(busier, 'x', async () => 1)).rejects.toThrow('unable to freeze')
  expect(busier.task.status).toBe('running')
})

test('a task goes on after a failure, a call that was cut off and an abort', async () => {
  const failing = fakeTask('running')
  await expect(whilePaused(failing, 'x', () => Promise.reject(new Error('work')))).rejects.toThrow('work')
  expect(failing.task.status).toBe('running')

  const cutOff = fakeTask('running', { pause: new NsboxError('unavailable', 'gone') })
  await expect(whilePaused(cutOff, 'x', async () => 1)).rejects.toThrow('gone')
  expect(cutOff.task).toEqual({ status: 'running', calls: ['pause', 'resume'] })

  const aborted = fakeTask('running')
  const controller = new AbortController()
  const work = async () => {
    controller.abort(new Error('enough'))
    controller.signal.throwIfAborted()
  }
  await expect(whilePaused(aborted, 'x', work, { signal: controller.signal })).rejects.toThrow('enough')
  expect(aborted.task.status).toBe('running')
})

test('a task that somebody else resumes meanwhile was not at rest', async () => {
  for (const before of ['running', 'paused'] as const) {
    const tasks = fakeTask(before)
    expect(await whilePaused(tasks, 'x', () => tasks.resume()).catch(errorCode)).toBe('aborted')
    expect(tasks.task.status).toBe('running')
  }
})

test('a server that is away for a moment is asked again', async () => {
  const tasks = fakeTask('running', { resume: [new NsboxError('unavailable', 'away')] })
  expect(await whilePaused(tasks, 'x', async () => 1)).toBe(1)
  expect(tasks.task).toEqual({ status: 'running', calls: ['pause', 'resume', 'resume'] })
})

test('a task that has not been started cannot be frozen, and nothing more is said of it', async () => {
  const tasks = fakeTask('created')
  const refusal = new NsboxError('failed_precondition', 'created')
  const refusing = { ...tasks, pause: () => Promise.reject(refusal), resume: () => Promise.reject(refusal) }
  expect(await whilePaused(refusing, 'x', async () => 1).catch((error) => error)).toBe(refusal)
})

test('a task that has ended is left alone', async () => {
  const tasks = fakeTask('running')
  const work = async () => {
    tasks.task.status = 'stopped'
    return 1
  }
  expect(await whilePaused(tasks, 'x', work)).toBe(1)
})

test('a task that stays frozen is told of, beside what has failed before', async () => {
  const refused = () => fakeTask('running', { resume: [new NsboxError('internal', 'no freezer')] })
  const alone = await whilePaused(refused(), 'x', async () => 1).catch((error) => error)
  expect([errorCode(alone), alone.message]).toEqual(['internal', 'no freezer: internal'])
  const cause = new NsboxError('data_loss', 'work')
  const both = await whilePaused(refused(), 'x', () => Promise.reject(cause)).catch((error) => error)
  expect([errorCode(both), both.cause]).toEqual(['data_loss', cause])
  expect(both.message).toContain('container x stays paused: no freezer')
})
