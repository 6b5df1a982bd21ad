import { spawn } from 'node:child_process'

/** A reader of a FIFO. */
export interface FifoReader {
  /** The text so far. */
  readonly text: () => string
  /** Resolves with the whole text, once the FIFO has no writer any more. */
  readonly ended: Promise<string>
  /** Stops reading. */
  stop(): void
}

/** Reads a FIFO as a client does, in a process of its own. */
export function readFifo(path: string): FifoReader {
  const child = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(text)))
  return { text: () => text, ended, stop: () => void child.kill('SIGKILL') }
}
