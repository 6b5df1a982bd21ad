import type { Interceptor, StreamResponse } from '@connectrpc/connect'
import { toConnectError } from '@nsbox/api'
import { errorCode } from '@nsbox/errors'

/** Converts errors of calls to statuses with the codes that clients get. */
export const codedErrors: Interceptor = (next) => async (request) => {
  try {
    const outcome = await next(request)
    return outcome.stream ? { ...outcome, message: coded(outcome.message, request.signal) } : outcome
  } catch (error) {
    throw coding(error, request.signal)
  }
}

async function* coded(messages: StreamResponse['message'], signal: AbortSignal): StreamResponse['message'] {
  try {
    yield* messages
  } catch (error) {
    throw coding(error, signal)
  }
}

/** An aborted call fails with the reason: the deadline, the client or the end of the server. */
function coding(error: unknown, signal: AbortSignal): unknown {
  return toConnectError(signal.aborted && errorCode(error) === 'canceled' ? signal.reason : error)
}
