// Does its worst to a server until it is ended.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { framed, RawClient, text } from './raw-client.ts'

const [, , address = '', name = '', digest = ''] = process.argv

/** The beginning of a message of 16 MiB. */
const head = Buffer.of(0, 1, 0, 0, 0)
const mebibyte = Buffer.alloc(1 << 20)

const attacks: Readonly<Record<string, () => Promise<void>>> = {
  /** Does nothing to the server, and uses a processor: what the others cost because of the machine. */
  async processor() {
    for (;;) Math.random()
  },
  /** Opens a thousand calls, says nothing in them, and does it again with the next connection. */
  async streams() {
    for (;;) {
      const client = new RawClient(address)
      for (let count = 0; count < 1000; count++)
        client.open(count % 2 === 0 ? 'content.v1.Content/Write' : 'version.v1.Version/Version')
      await sleep(2000)
      client.session.destroy()
    }
  },
  /** Asks for as much as it can and reads nothing. */
  async reads() {
    const client = new RawClient(address)
    for (;;) {
      for (let count = 0; count < 300; count++) {
        const read = client.open('content.v1.Content/Read')
        read.end(framed(text(1, digest)))
        client.open('containers.v1.Containers/List').end(framed(Buffer.of()))
        client.open('events.v1.Events/Subscribe').end(framed(Buffer.of()))
      }
      await sleep(3000)
    }
  },
  /** Sends sixty messages but for their last megabyte, and the next sixty on the next connection. */
  async unfinished() {
    for (;;) {
      const client = new RawClient(address)
      for (let count = 0; count < 60; count++) {
        const stream = client.open(
          ['content.v1.Content/Update', 'content.v1.Content/Write', 'streaming.v1.Streaming/Stream'][
            count % 3
          ]!,
        )
        stream.write(head)
        for (let sent = 0; sent < 15; sent++) stream.write(mebibyte)
      }
      await sleep(3000)
      client.session.destroy()
    }
  },
  /** Resets calls as fast as it can make them. */
  async resets() {
    const client = new RawClient(address)
    const message = framed(Buffer.of())
    for (let count = 1; ; count++) {
      const stream = client.open('version.v1.Version/Version')
      stream.write(message)
      stream.close(8)
      // As fast as they are taken: what only waits here would cost nobody anything but the processor.
      if (count % 50 === 0) await client.answered()
    }
  },
  /**
   * Requests of 16 MiB: with nothing but fields that nobody knows, with one text, and to methods that take none so
   * large.
   */
  async bodies() {
    const client = new RawClient(address)
    const unknown = framed(Buffer.alloc(16 << 20, Buffer.of(0x78, 0x01)).subarray(0, (16 << 20) - 10))
    const long = framed(
      Buffer.concat([Buffer.of(0x12, 0xf6, 0xff, 0xff, 0x07), Buffer.alloc((16 << 20) - 10, 0x61)]),
    )
    for (;;) {
      const calls = [
        client.call('content.v1.Content/Update', unknown),
        client.call('content.v1.Content/Update', long),
        client.call('version.v1.Version/Version', unknown),
        client.call('content.v1.Content/Write', unknown),
      ]
      await Promise.all(calls)
    }
  },
  /** Makes connections, and says nothing in them or something that is no HTTP. */
  async connections() {
    for (let count = 0; ; count++) {
      const socket = connect(address)
      socket.on('error', () => {})
      await once(socket, 'connect').catch(() => undefined)
      if (count % 2 === 0) socket.end('\0\x01\x02')
      if (count % 20 === 0) await sleep(1)
    }
  },
}

// The server ends connections, and whatever happens on them then is no reason to stop.
process.on('uncaughtException', () => {})
const { processor: _, ...together } = attacks
const chosen = name === 'all' ? Object.values(together) : [attacks[name]!]
await Promise.all(chosen.map((attack) => attack()))
