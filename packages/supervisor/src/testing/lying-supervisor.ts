import { closeSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { isNsboxError } from '@nsbox/errors'
import { acceptUnix, listenUnix, sendDescriptors } from '@nsbox/sys/descriptors'
import { files } from '../protocol/directory-layout.ts'

/** What a client has asked. */
export interface Asked {
  readonly id: number
  readonly method: string
  readonly [field: string]: unknown
}

/** A supervisor's reaction to a request, as text to send; undefined for none. */
export type Lie = (asked: Asked, to: LyingSupervisor) => string | undefined

/**
 * A supervisor in this process that sends what a test wants: real ones do not fail on demand. The client would take
 * this process for the supervisor and kill it when it is lost, so it names another process of the test.
 */
export class LyingSupervisor implements AsyncDisposable {
  readonly directory: string
  readonly #server: Server
  readonly #listener: number
  readonly #sockets = new Set<Socket>()
  #packets: number | undefined
  #sent = 0
  static async start(directory: string, pid: number, lie: Lie): Promise<LyingSupervisor> {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const listener = listenUnix(join(directory, files.descriptors), 'packets')
    writeFileSync(join(directory, files.process), JSON.stringify({ pid, startTime: 'none' }))
    const supervisor = new LyingSupervisor(directory, listener, pid, lie)
    await new Promise<void>((resolve) => supervisor.#server.listen(join(directory, files.control), resolve))
    return supervisor
  }

  private constructor(directory: string, listener: number, pid: number, lie: Lie) {
    this.directory = directory
    this.#listener = listener
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      let text = ''
      socket.on('error', () => undefined)
      socket.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
        for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
          const asked = JSON.parse(text.slice(0, end)) as Asked
          text = text.slice(end + 1)
          const answer = asked.method === 'hello' ? this.#greet(asked, pid) : lie(asked, this)
          if (answer !== undefined) socket.write(answer)
        }
      })
    })
  }

  /** Sends descriptors through their socket, before the message that announces them. @returns the packet's number */
  sendDescriptors(descriptors: readonly number[], name = String(this.#sent + 1)): number {
    try {
      sendDescriptors(this.#packets!, Buffer.from(name), descriptors)
    } catch (error) {
      // The client has given up.
      if (!isNsboxError(error) || error.details.errno !== 'EPIPE') throw error
    }
    return ++this.#sent
  }

  #greet({ id }: Asked, pid: number): string {
    if (this.#packets !== undefined) closeSync(this.#packets)
    this.#packets = acceptUnix(this.#listener)
    this.#sent = 0
    return `${JSON.stringify({ reply: id, protocol: 1, build: 'lies', cgroup: '', pid })}\n`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    closeSync(this.#listener)
    if (this.#packets !== undefined) closeSync(this.#packets)
  }
}

/** A record of a process, as in a supervisor's message. */
export const someRecord = (key: string, pid: number) => ({
  key,
  pid,
  startTime: '1',
  io: { stdin: '', stdout: '', stderr: '', terminal: false },
  stdinEnded: true,
  drained: false,
})
