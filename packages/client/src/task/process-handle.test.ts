import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
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
