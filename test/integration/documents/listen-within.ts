import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:net'

/** Listens, gives the socket to the process that has started it, and ends when it has been taken. */
const program = `
const server = require('node:net').createServer()
server.listen(Number(process.argv[1]), '127.0.0.1', () => process.send('here', server, () => process.exit()))
`

/**
 * Listens on the loopback address of a network namespace, which a socket belongs to whoever has it.
 *
 * @param within the program and its arguments that start another program in the namespace
 */
export async function listenWithin(within: readonly string[], port: number): Promise<Server> {
  const [first, ...others] = [...within, process.execPath, '--eval', program, String(port)]
  const child = spawn(first!, others, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const settled = new AbortController()
  const { signal } = settled
  try {
    const ended = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`what was to listen on port ${port} has ended with ${code}`)
    })
    const [, listener] = await Promise.race([once(child, 'message', { signal }), ended])
    return listener
  } finally {
    settled.abort()
  }
}
