import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Process, Tasks } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { makeFifos } from '../stdio/make-fifos.ts'
import { ProcessStreams } from '../stdio/process-streams.ts'
import { ProcessHandle } from './process-handle.ts'

const exit = { exitStatus: 7, exitedAt: Timestamp.epoch }

/** A server that is killed when it has removed a task, before it answers; the next one may have another of that id. */
function dyingTasks(process: Process, later: Process | undefined): Tasks & { readonly deletions: number } {
  let deletions = 0
  const missing = () => new NsboxError('not_found', 'task one')
  const tasks = {
    wait: () => Promise.reject(missing()),
    async get() {
      const found = deletions === 0 ? process : later
      if (found === undefined) throw missing()
      return found
    },
    async delete() {
      deletions++
      throw new NsboxError('unavailable', 'the server is gone')
    },
    get deletions() {
      return deletions
    },
  }
  return tasks as unknown as Tasks & { readonly deletions: number }
}

for (const successor of [false, true])
  test(`a deletion whose answer was lost leaves no FIFO${successor ? ', and the next task alone' : ''}`, async () => {
    await using directory = await tempDir('nsbox-fifos')
    const root = join(directory.path, 'fifo')
    const fifos = await makeFifos({ root, stdin: true, stdout: true, stderr: false })
    const process: Process = {
      ...{ containerId: 'one', execId: '', pid: 10, status: 'stopped', exit, terminal: false },
      ...{ stdin: fifos.stdin, stdout: fifos.stdout, stderr: '' },
    }
    const tasks = dyingTasks(process, successor ? { ...process, pid: 11 } : undefined)
    const handle = new ProcessHandle({
      ...{ tasks, containerId: 'one', execId: '', pid: 10, terminal: false, fifos },
      streams: ProcessStreams.none,
    })
    expect(await handle.delete()).toEqual(exit)
    expect(tasks.deletions).toBe(1)
    expect(await readdir(root)).toEqual([])
  })

test('an exec whose start was cut off keeps its outputs open for the next start, and ends them after it', async () => {
  await using directory = await tempDir('nsbox-fifos')
  const root = join(directory.path, 'fifo')
  const fifos = await makeFifos({ root, stdin: false, stdout: true, stderr: false })
  const openWriter = () => open(fifos.stdout, constants.O_WRONLY | constants.O_NONBLOCK)
  const process: Process = {
    ...{ containerId: 'one', execId: 'e', pid: 0, status: 'created', terminal: false, ...fifos },
  }
  let starts = 0
  const tasks = {
    wait: () => new Promise(() => undefined),
    get: async () => process,
    async start() {
      const writer = await openWriter()
      if (++starts === 1) {
        await writer.close()
        // The client has a moment in which it could take that for the end.
        await new Promise((resolve) => setTimeout(resolve, 50))
        throw new NsboxError('unavailable', 'the server is gone')
      }
      await writer.write('output')
      await writer.close()
      return { pid: 10 }
    },
  }
  const streams = await ProcessStreams.open(fifos, async () => undefined, { untilStarted: true })
  const output = text(streams.stdout!)
  await using handle = new ProcessHandle({
    ...{ tasks: tasks as unknown as Tasks, containerId: 'one', execId: 'e', pid: 0, terminal: false },
    ...{ fifos, streams },
  })
  expect(await handle.start()).toEqual({ pid: 10 })
  expect(starts).toBe(2)
  expect(await output).toBe('output')
})
