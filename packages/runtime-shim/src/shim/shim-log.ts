import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { isAlreadyExists } from '@nsbox/errors'
import { makeFifo } from '@nsbox/sys/descriptors'

/** The most characters of a line; the rest is left out. */
const maxLine = 4096

/**
 * Reads the FIFO `log` in a bundle, which a shim writes its log to, and makes it if it is missing. Opened for writing
 * as well, so that it does not end when a shim closes it.
 */
export function readShimLog(bundle: string, onLine: (line: string) => void): Disposable {
  const path = join(bundle, 'log')
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
  socket.setEncoding('utf8').on('data', (text: string) => {
    const [first = '', ...others] = text.split('\n')
    line = `${line}${first}`.slice(0, maxLine)
    for (const next of others) {
      if (line !== '') onLine(line)
      line = next.slice(0, maxLine)
    }
  })
  return { [Symbol.dispose]: () => socket.destroy() }
}
