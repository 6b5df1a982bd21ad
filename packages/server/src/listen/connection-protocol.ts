import type { Socket } from 'node:net'

/**
 * The beginning of every HTTP/2 connection without TLS (RFC 9113 §3.4), long enough to distinguish it from HTTP/1.1.
 */
const preface = Buffer.from('PRI * HTTP/2.0\r\n')

/** Milliseconds that a client may take to send the bytes that show its protocol. */
const patience = 30_000

/**
 * Determines the protocol of a connection from its first bytes, which stay readable. Disconnects a client that sends
 * nothing for too long.
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
