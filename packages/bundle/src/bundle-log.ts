import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { isAlreadyExists } from '@nsbox/errors'
import { makeFifo } from '@nsbox/sys/descriptors'

/** The most characters of a line; the rest is left out. */
const maxLine = 4096
/** The most lines in an interval; the rest is read, so that a writer does not wait, and counted. */
export const maxLines = 1000
/** Milliseconds. */
const interval = 1000

/** The FIFO of a log, while it is read. */
export interface BundleLog extends Disposable {
  readonly path: string
}

/**
 * Reads the FIFO that is `log` in a bundle, for what shims, hooks and programs in place of runc have to say, and makes
 * it if it is missing. Opened for writing as well, so that it does not end when a writer closes it. Of more than 1,000
 * lines a second the rest is left out, and a line says how many.
 */
export function readBundleLog(path: string, onLine: (line: string) => void): BundleLog {
  try {
    makeFifo(path, 0o600)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  const socket = new Socket({ fd, readable: true, writable: false })
  socket.on('error', () => {})
  // It alone must not keep the process alive.
  socket.unref()
  let line = ''
  const lines = boundedLines(onLine)
  socket.setEncoding('utf8').on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n')
    line = `${line}${first}`.slice(0, maxLine)
    for (const next of others) {
      if (line !== '') lines.tell(line)
      line = next.slice(0, maxLine)
    }
  })
  return {
    path,
    [Symbol.dispose]() {
      socket.destroy()
      lines[Symbol.dispose]()
    },
  }
}

/** Passes on the first lines of each interval, which begins with a line. */
function boundedLines(onLine: (line: string) => void): { tell(line: string): void } & Disposable {
  let count = 0
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    clearTimeout(timer)
    timer = undefined
    if (count > maxLines) onLine(`level=warning msg="${count - maxLines} lines left out"`)
    count = 0
  }
  return {
    tell(line) {
      timer ??= setTimeout(end, interval).unref()
      count++
      if (count <= maxLines) onLine(line)
    },
    [Symbol.dispose]: end,
  }
}
