import type { Interceptor, StreamResponse } from '@connectrpc/connect'

/**
 * Holds back every reply, every message of a stream and every error until all that it could have observed is on disk,
 * reads included: nothing that was once answered can be taken back by a power cut (docs/behaviour.md §16).
 */
export function durableReplies(durable: () => Promise<void>): Interceptor {
  return (next) => async (request) => {
    let outcome: Awaited<ReturnType<typeof next>>
    try {
      outcome = await next(request)
    } catch (error) {
      await durable()
      throw error
    }
    if (outcome.stream) return { ...outcome, message: held(outcome.message) }
    await durable()
    return outcome
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
