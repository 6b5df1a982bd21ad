import type { Interceptor, StreamResponse } from '@connectrpc/connect'

/**
 * Holds back every reply, every message of a stream and every error until all that it could have observed is on disk,
 * reads included: nothing that was once answered can be taken back by a power cut (DESIGN.md §5).
 */
export function durableReplies(durable: () => Promise<void>): Interceptor {
  return (next) => async (request) => {
    try {
      const outcome = await next(request)
      return outcome.stream ? { ...outcome, message: held(outcome.message) } : outcome
    } finally {
      await durable()
    }
  }

  async function* held(messages: StreamResponse['message']): StreamResponse['message'] {
    try {
      for await (const message of messages) {
        await durable()
        yield message
      }
    } finally {
      await durable()
    }
  }
}
