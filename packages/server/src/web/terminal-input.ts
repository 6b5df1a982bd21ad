import type { ProcessHandle } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import type { RawData, WebSocket } from 'ws'
import { parseTerminalOrder, type TerminalSize } from './terminal-order.ts'

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
      const resize = resizer(process)
      let timer: NodeJS.Timeout | undefined
      socket.once('close', () => clearTimeout(timer))
      socket.on('message', (data: RawData, isBinary: boolean) => {
        try {
          if (isBinary) write(data as Buffer)
          else resize(parseTerminalOrder((data as Buffer).toString()))
        } catch (error) {
          failure.abort(error)
        }
      })
      const write = (bytes: Buffer) => {
        const { stdin } = process
        if (stdin === undefined || stdin.destroyed || stdin.write(bytes) || socket.isPaused) return
        socket.pause()
        const text = `the process has not read its input for ${patience / 1000} seconds`
        timer = setTimeout(() => failure.abort(new NsboxError('resource_exhausted', text)), patience)
        stdin.once('drain', () => {
          clearTimeout(timer)
          socket.resume()
        })
      }
      process.stdin?.on('error', (error) => failure.abort(error))
      socket.resume()
    },
  }
}

/** Sets the size of a terminal, one call after another; of those that come meanwhile only the last counts. */
function resizer(process: ProcessHandle): (size: TerminalSize) => void {
  let next: TerminalSize | undefined
  let isRunning = false
  const run = async () => {
    isRunning = true
    for (let size = next; size !== undefined; size = next) {
      next = undefined
      // The process may have ended.
      await process.resize(size).catch(() => undefined)
    }
    isRunning = false
  }
  return (size) => {
    next = size
    if (!isRunning) void run()
  }
}
