import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A registry behind a slow line. */
export interface SlowProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`, to be used in references in place of the registry's. */
  readonly host: string
  /** Bytes that came from the registry so far. */
  readonly bytes: number
  /** Resolves once so many bytes have come from the registry. */
  passed(bytes: number): Promise<void>
  /** How fast it is from now on. */
  setRate(bytesPerSecond: number): void
}

/** Starts a proxy that lets a registry's answers through at a bounded rate; for interrupting what would be too fast. */
export async function startSlowProxy(upstream: string, bytesPerSecond: number): Promise<SlowProxy> {
  const [host, port] = upstream.split(':') as [string, string]
  const sockets = new Set<Socket>()
  let rate = bytesPerSecond
  let bytes = 0
  const server = createServer((client) => {
    const registry = connect(Number(port), host)
    for (const socket of [client, registry]) {
      sockets.add(socket)
      // Whoever breaks the connection, the other side shall see it broken.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        registry.destroy()
      })
    }
    client.pipe(registry)
    void relay(registry, client)
  })

  async function relay(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        bytes += chunk.byteLength
        if (!to.write(chunk)) await once(to, 'drain', { signal: AbortSignal.timeout(30_000) })
        await sleep((chunk.byteLength / rate) * 1000)
      }
      to.end()
    } catch {
      to.destroy()
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get bytes() {
      return bytes
    },
    async passed(wanted) {
      for (let waited = 0; bytes < wanted; waited += 10) {
        if (waited > 30_000) throw new Error(`only ${bytes} of ${wanted} bytes passed`)
        await sleep(10)
      }
    },
    setRate: (next) => {
      rate = next
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
