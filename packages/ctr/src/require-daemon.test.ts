import { expect, test } from 'vitest'
import { requireDaemon } from './require-daemon.ts'
import { runContainer } from './run-container.ts'
import type { Session } from './session.ts'
import { startTask } from './tasks/start-task.ts'

test('names the program to start where a container could not outlive the command', async () => {
  // No other field is read before the check.
  const session = { isEmbedded: true } as Session
  const refused = { code: 'failed_precondition', message: expect.stringContaining('nsbox-server') }
  await expect(runContainer(session, { detach: true } as never, ['image', 'id'])).rejects.toMatchObject(
    refused,
  )
  await expect(startTask(session, { detach: true }, 'id')).rejects.toMatchObject(refused)
  expect(() => requireDaemon({ isEmbedded: false })).not.toThrow()
})
