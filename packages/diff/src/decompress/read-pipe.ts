import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net'

/**
 * Reads a pipe to its end, into one buffer: a chunk is valid until the next one is requested. The descriptor is closed
 * when the iteration ends in any way.
 *
 * @param size of the buffer, and so of the biggest chunk
 */
export async function* readPipe(fd: number, size: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
  let length = 0
  let failure: unknown
  let ended = false
  let wake = () => {}
  // A Node stream would allocate a buffer for each chunk and keep V8's collector busy.
  const buffer = Buffer.allocUnsafeSlow(size)
  const options: SocketConstructorOpts & ConnectOpts = {
    fd,
    readable: true,
    writable: false,
    ...(signal === undefined ? {} : { signal }),
    onread: {
      buffer,
      callback: (read) => {
        length = read
        wake()
        return false
      },
    },
  }
  const socket = new Socket(options)
  socket.on('error', (error) => {
    failure = error
  })
  socket.on('close', () => {
    ended = true
    wake()
  })
  try {
    for (;;) {
      const arrival = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (!ended) {
        socket.resume()
        await arrival
      }
      if (failure !== undefined) throw failure
      if (length === 0) return
      yield buffer.subarray(0, length)
      length = 0
    }
  } finally {
    socket.destroy()
  }
}
