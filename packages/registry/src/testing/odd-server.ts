import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** A server on a loopback port. */
export interface OddServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
}

/** An HTTP server for answers that no table of replies can give. */
export function serve(handler: RequestListener): Promise<OddServer> {
  return listening(createHttpServer(handler))
}

/** A server for what is no HTTP. What it is sent is read and passed over. */
export function serveRaw(onConnection: (socket: Socket) => void): Promise<OddServer> {
  return listening(createServer((socket) => onConnection(socket.resume().on('error', () => {}))))
}

/** Starts to listen on a free port; closing does not wait for clients. */
export async function listening(server: Server): Promise<OddServer> {
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
