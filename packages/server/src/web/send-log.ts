import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { deferred } from '@nsbox/concurrency'
import type { LogFile } from '@nsbox/supervisor/logs'

/** Bytes of a log that are shown before what is added to it. */
const lastBytes = 256 << 10

/** Milliseconds that a client may take to read what was sent before. */
const patience = 30_000

/**
 * Sends the last 256 KiB of a log, and then what is added, until the signal aborts, or the client goes away or does not
 * read.
 */
export async function sendLog(response: ServerResponse, log: LogFile, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  response.flushHeaders()
  for await (const bytes of log.read({ last: { bytes: lastBytes }, writing: signal, signal })) {
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
