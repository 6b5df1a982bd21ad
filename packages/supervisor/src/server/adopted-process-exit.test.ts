import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { openPidfd } from '@nsbox/sys/processes'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import type { ExitRecord } from '../protocol/process-record.ts'
import { AdoptedProcessExit, type AdoptedProcessExitOptions } from './adopted-process-exit.ts'
import type { Watcher } from './watcher.ts'

/** Reports at once that every process has ended. */
const watcher = {
  onceEnded: (_: number, callback: () => void) => setTimeout(callback, 50),
} as unknown as Watcher

async function endOf(exitStatusOf?: AdoptedProcessExitOptions['exitStatusOf']): Promise<ExitRecord> {
  const child = spawn('sh', ['-c', 'exit 7'])
  const pidfd = openPidfd(child.pid!)
  try {
    return await new Promise(
      (onEnd) => new AdoptedProcessExit(child.pid!, pidfd, { watcher, onEnd, exitStatusOf }),
    )
  } finally {
    closeSync(pidfd)
  }
}

describeWith({ linux: true }, 'the end of somebody else’s child', () => {
  test('has its status where the kernel tells it, and else one that is said to be unknown', async () => {
    expect([
      { exitStatus: 7, exitedAt: expect.any(Number) },
      { exitStatus: 255, exitedAt: expect.any(Number), unknown: true },
    ]).toContainEqual(await endOf())
    expect(await endOf(() => 'unknown')).toMatchObject({ exitStatus: 255, unknown: true })
  })

  test('is asked for until its parent has waited for it', async () => {
    let asked = 0
    expect(await endOf(() => (++asked < 3 ? 'pending' : 9))).toMatchObject({ exitStatus: 9 })
    expect(asked).toBe(3)
  })

  test('is not told once it interests nobody', async () => {
    const ends: ExitRecord[] = []
    const end = new AdoptedProcessExit(-1, -1, {
      watcher,
      onEnd: (exit) => ends.push(exit),
      exitStatusOf: () => 1,
    })
    end.stop()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(ends).toEqual([])
  })
})
