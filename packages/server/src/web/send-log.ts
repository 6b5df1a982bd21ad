import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { deferred } from '@nsbox/concurrency'
import type { ContainerLog } from './container-log.ts'

/** Milliseconds that a client may take to read what was sent before. */
const patience = 30_000

/** Sends a log as it grows, until the signal aborts or the client goes away, or does not read. */
export async function sendLog(
  response: ServerResponse,
  log: ContainerLog,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  response.flushHeaders()
  for await (const bytes of log.follow(signal)) {
    if (response.write(bytes)) continue
    if (!(await drained(response, signal))) {
      response.destroy()
      return
    }
  }
  response.end()
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = deferred<boolean>()
  const onDrain = () => resolve(true)
  response.once('drain', onDrain)
  const timer = new AbortController()
  const stop = AbortSignal.any([signal, timer.signal])
  try {
    return await Promise.race([promise, setTimeout(patience, false, { signal: stop }).catch(() => false)])
  } finally {
    response.off('drain', onDrain)
    timer.abort()
  }
}
