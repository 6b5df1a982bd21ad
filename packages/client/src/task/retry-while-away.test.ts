import type { ProcessExit } from '@nsbox/core/tasks'
import { errorCode, NsboxError } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { retryWhileAway } from './retry-while-away.ts'

const exit: ProcessExit = { exitStatus: 5, exitedAt: new Timestamp(7) }
const away = new NsboxError('unavailable', 'connection lost')

/** A server that gives these answers in turn. */
function answering(...answers: (ProcessExit | NsboxError)[]): () => Promise<ProcessExit> {
  return async () => {
    const answer = answers.shift()
    if (answer === undefined || 'code' in answer) throw answer
    return answer
  }
}

test('asks again while the server is away', async () => {
  expect(await retryWhileAway(answering(away, away, exit))).toBe(exit)
})

test('tells at once what the server says', async () => {
  const gone = new NsboxError('not_found', 'no such task')
  expect(await retryWhileAway(answering(away, gone)).catch(errorCode)).toBe('not_found')
})

test('gives up when the caller does', async () => {
  const reason = new Error('the caller gave up')
  const controller = new AbortController()
  const waiting = retryWhileAway(() => Promise.reject(away), { signal: controller.signal }).catch(
    (error: Error) => error.cause ?? error,
  )
  controller.abort(reason)
  expect(await waiting).toBe(reason)
})
