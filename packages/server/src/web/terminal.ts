import type { ProcessHandle } from '@nsbox/client'
import { isNotFound } from '@nsbox/errors'
import type { Logger } from 'pino'
import type { WebSocket } from 'ws'
import { toHttpError } from './http-error.ts'
import { takeInput } from './terminal-input.ts'

/** Milliseconds in which a process must be gone after its terminal was closed. */
const endTime = 10_000

/** Codes for the end of a WebSocket (RFC 6455 §7.4.1), and the most bytes of its reason (§5.5). */
const codes = { normal: 1000, goingAway: 1001, failed: 1011 } as const
const reasonBytes = 123

/** Options of a terminal. */
export interface TerminalOptions {
  /** Makes the process, with a terminal and a stream for each direction, which is not started yet. */
  readonly exec: (signal: AbortSignal) => Promise<ProcessHandle>
  /** Aborted when the server begins to end. */
  readonly stopping: AbortSignal
  readonly log: Logger
}

/**
 * A terminal inside a container over a WebSocket. Binary messages are its bytes, both ways; the texts are
 * `{"resize":[columns,rows]}` from the client and `{"exit":status}` to it. Neither side is read faster than the other
 * takes. The process is killed and deleted when the socket closes.
 *
 * @returns once the process is gone; never rejects
 */
export async function runTerminal(socket: WebSocket, options: TerminalOptions): Promise<void> {
  const { exec, stopping, log } = options
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  // A malformed message closes the socket with a code of its own.
  socket.on('error', (error) => log.debug({ err: error }, 'a terminal of the page failed'))
  const input = takeInput(socket)
  const signal = AbortSignal.any([closed.signal, input.failed, stopping])
  let process: ProcessHandle | undefined
  try {
    process = await exec(signal)
    await process.start({ signal })
    input.connect(process)
    passOutput(socket, process)
    const { exitStatus } = await process.finished({ signal })
    socket.send(JSON.stringify({ exit: exitStatus }))
    close(socket, codes.normal)
  } catch (error) {
    if (stopping.aborted) close(socket, codes.goingAway, 'the server is ending')
    else close(socket, codes.failed, toHttpError(input.failed.aborted ? input.failed.reason : error).text)
    log.debug({ err: error }, 'a terminal of the page ended early')
  }
  if (process !== undefined) await endProcess(process, log)
  // One that does not answer would keep the server.
  if (stopping.aborted) socket.terminate()
}

/** Sends what the process writes, each part once the one before has gone to the kernel. */
function passOutput(socket: WebSocket, { stdout }: ProcessHandle): void {
  stdout?.on('data', (bytes: Buffer) => {
    stdout.pause()
    socket.send(bytes, { binary: true }, () => stdout.resume())
  })
  stdout?.on('error', () => socket.terminate())
}

async function endProcess(process: ProcessHandle, log: Logger): Promise<void> {
  const signal = AbortSignal.timeout(endTime)
  try {
    const { status } = await process.status({ signal })
    if (status !== 'created' && status !== 'stopped') {
      await process.kill('SIGKILL', { signal })
      await process.finished({ signal })
    }
    await process.delete({ signal })
  } catch (error) {
    const { containerId: container, execId: exec } = process
    if (!isNotFound(error)) log.warn({ container, exec, err: error }, 'a process of the page is left')
  } finally {
    await process[Symbol.asyncDispose]()
  }
}

/** Closes a socket, unless it is closed. The end of a text that is too long is left out. */
function close(socket: WebSocket, code: number, text = ''): void {
  // The client's own close is not seen while nothing is read.
  socket.resume()
  const bytes = new TextEncoder().encode(text).subarray(0, reasonBytes)
  socket.close(code, new TextDecoder().decode(bytes, { stream: true }))
}
