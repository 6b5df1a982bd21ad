import { ConnectError } from '@connectrpc/connect'

/** More refusals in a row have another cause. */
const maxTries = 5

/**
 * Repeats a call that the connection refused: a server may ask for a new connection at any time. It has not processed a
 * refused call (RFC 9113 §8.7).
 */
export async function retryRefused<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (tries === maxTries || !wasRefused(error)) throw error
    }
  }
}

function wasRefused(error: unknown): boolean {
  if (!(error instanceof ConnectError) || !(error.cause instanceof Error)) return false
  const { code, message } = error.cause as NodeJS.ErrnoException
  return code === 'ERR_HTTP2_STREAM_ERROR' && message.includes('NGHTTP2_REFUSED_STREAM')
}
