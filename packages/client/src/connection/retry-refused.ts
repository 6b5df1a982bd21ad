import { ConnectError } from '@connectrpc/connect'

/** More often in a row, something else is wrong. */
const maxTries = 5

/**
 * Makes a call again that the connection did not take: a server may ask for a new connection at any time, also between
 * a call's beginning and its being sent. It has not been processed then (RFC 9113 §8.7).
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
