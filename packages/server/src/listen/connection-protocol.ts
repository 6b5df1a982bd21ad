import type { Socket } from 'node:net'

/**
 * The beginning of every HTTP/2 connection without TLS (RFC 9113 §3.4), as much as is needed to tell it from HTTP/1.1.
 */
const preface = Buffer.from('PRI * HTTP/2.0\r\n')

/** How long a client may take to send the bytes by which its protocol is known, in milliseconds. */
const patience = 30_000

/**
 * Finds out by its first bytes which protocol a connection speaks. The bytes stay readable. A client that sends nothing
 * for too long is disconnected.
 */
export function sniffProtocol(socket: Socket, hand: (protocol: 'http1' | 'http2') => void): void {
  let seen = Buffer.alloc(0)
  const stop = () => {
    socket.off('readable', onReadable)
    socket.off('close', stop)
    clearTimeout(timer)
  }
  const onReadable = () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    seen = Buffer.concat([seen, chunk])
    const length = Math.min(seen.length, preface.length)
    const matches = preface.subarray(0, length).equals(seen.subarray(0, length))
    if (matches && length < preface.length) return
    stop()
    socket.unshift(seen)
    hand(matches ? 'http2' : 'http1')
  }
  const timer = setTimeout(() => socket.destroy(), patience)
  socket.on('readable', onReadable)
  socket.once('close', stop)
}
