import { closeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connectUnix, sendDescriptors } from '@nsbox/sys/descriptors'
import { expect } from 'vitest'

/** A raw client connection for tests, and the answers to it. */
export class RawClient implements AsyncDisposable {
  readonly #socket: Socket
  readonly #packets: number
  #text = ''
  #id = 0
  #sent = 0

  static async connect(directory: string): Promise<RawClient> {
    const packets = connectUnix(join(directory, 'descriptors'), 'packets')
    sendDescriptors(packets, Buffer.from('token'), [])
    const socket = connect(join(directory, 'control'))
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const client = new RawClient(socket, packets)
    await client.ask('hello', { protocols: [1], token: 'token' })
    return client
  }

  private constructor(socket: Socket, packets: number) {
    this.#socket = socket
    this.#packets = packets
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
    })
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  async ask(
    method: string,
    fields: object,
    ends: Readonly<Record<string, number>> = {},
  ): Promise<Record<string, unknown>> {
    const id = ++this.#id
    const roles = Object.keys(ends)
    if (roles.length > 0)
      sendDescriptors(this.#packets, Buffer.from(String(++this.#sent)), Object.values(ends))
    const packet = roles.length > 0 ? { packet: this.#sent, roles } : {}
    this.send(`${JSON.stringify({ id, method, ...fields, ...packet })}\n`)
    const found = () =>
      this.#text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find(({ reply }) => reply === id)
    await expect.poll(found).toBeDefined()
    return found()!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    closeSync(this.#packets)
  }
}
