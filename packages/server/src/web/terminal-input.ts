import { once } from 'node:events'
import type { ProcessHandle } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import type { RawData, WebSocket } from 'ws'
import { parseTerminalOrder } from './terminal-order.ts'

/**
 * Milliseconds that a process may leave its input unread while more waits. Meanwhile nothing is read from the client,
 * so that its going away is not seen either.
 */
const patience = 30_000

/** Bytes that wait for a client to read them at which its pings are answered no more. */
const unreadBytes = 64 << 10

/** What comes from the client of a terminal. */
export interface TerminalInput {
  /** Aborted with an error when a message is wrong, or the process does not read. */
  readonly failed: AbortSignal
  /** Passes on what has come and what comes, from now on. */
  connect(process: ProcessHandle): void
}

/** Takes the messages of a client; none is read before the process is there. */
export function takeInput(socket: WebSocket): TerminalInput {
  const failure = new AbortController()
  socket.pause()
  // Answers to pings are kept in memory until the client reads them.
  socket.on('ping', (data) => {
    if (socket.bufferedAmount > unreadBytes) socket.terminate()
    else socket.pong(data)
  })
  return {
    failed: failure.signal,
    connect(process) {
      const closed = new AbortController()
      socket.once('close', () => closed.abort())
      const over = AbortSignal.any([closed.signal, failure.signal])
      let before = Promise.resolve()
      let waiting = 0
      // What comes after a size is read by the process after it has that size, so each message waits for the one
      // before.
      socket.on('message', (data: RawData, isBinary: boolean) => {
        waiting += 1
        socket.pause()
        before = before
          .then(() => take(process, data as Buffer, { isBinary, over }))
          .catch((error) => failure.abort(error))
          .then(() => {
            waiting -= 1
            if (waiting === 0) socket.resume()
          })
      })
      process.stdin?.on('error', (error) => failure.abort(error))
      socket.resume()
    },
  }
}

/** How a message is taken. */
interface Taking {
  readonly isBinary: boolean
  /** Aborted when nothing is taken any more. */
  readonly over: AbortSignal
}

/** Does what a message says; a process that has ended, or whose input has, takes none. */
async function take(process: ProcessHandle, data: Buffer, { isBinary, over }: Taking): Promise<void> {
  if (over.aborted) return
  if (!isBinary) return await process.resize(parseTerminalOrder(data.toString())).catch(() => undefined)
  const { stdin } = process
  if (stdin === undefined || stdin.destroyed || stdin.write(data)) return
  const late = AbortSignal.timeout(patience)
  try {
    await once(stdin, 'drain', { signal: AbortSignal.any([late, over]) })
  } catch (error) {
    if (over.aborted) return
    if (!late.aborted) throw error
    const text = `the process has not read its input for ${patience / 1000} seconds`
    throw new NsboxError('resource_exhausted', text)
  }
}
