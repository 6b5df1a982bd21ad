import { spawn } from 'node:child_process'

/** What reads a FIFO. */
export interface FifoReader {
  /** What has come until now. */
  readonly text: () => string
  /** Resolves with all that has come, once there is no writer any more. */
  readonly ended: Promise<string>
  /** Leaves. */
  stop(): void
}

/** Reads a FIFO as a client does, from when it is opened, in a process of its own. */
export function readFifo(path: string): FifoReader {
  const child = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(text)))
  return { text: () => text, ended, stop: () => void child.kill('SIGKILL') }
}
