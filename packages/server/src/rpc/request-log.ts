import type { StreamRequest } from '@connectrpc/connect'
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamResponse,
  type UnaryRequest,
} from '@connectrpc/connect'
import { firstHeaderValue, namespaceHeader } from '@nsbox/api'
import type { Logger } from 'pino'
import { accessOf, headerOf } from './call-access.ts'

/**
 * Logs each call with a number, its method, namespace, duration and code: at debug level, or as an error where it is
 * the server that is at fault. Messages and other headers are never logged, since they may hold secrets.
 */
export function requestLog(log: Logger): Interceptor {
  let calls = 0
  return (next) => async (request) => {
    const end = begin(request)
    try {
      const outcome = await next(request)
      if (outcome.stream) return { ...outcome, message: logged(outcome.message, end) }
      end()
      return outcome
    } catch (error) {
      end(error)
      throw error
    }
  }

  function begin(request: UnaryRequest | StreamRequest): (error?: unknown) => void {
    const { service, method } = request
    const started = performance.now()
    const call = {
      call: ++calls,
      method: `${service.typeName}/${method.name}`,
      namespace: firstHeaderValue(headerOf(request, namespaceHeader)),
      // Nobody in particular on the server's own socket.
      peer: accessOf(request).peer || undefined,
    }
    log.trace(call, 'call begins')
    return (error) => {
      const ms = Math.round(performance.now() - started)
      if (error === undefined) return log.debug({ ...call, ms, code: 'ok' }, 'call')
      const { code } = ConnectError.from(error)
      const facts = { ...call, ms, code: Code[code], err: error }
      if (code === Code.Unknown || code === Code.Internal || code === Code.DataLoss)
        log.error(facts, 'call failed')
      else log.debug(facts, 'call refused')
    }
  }
}

async function* logged(
  messages: StreamResponse['message'],
  end: (error?: unknown) => void,
): StreamResponse['message'] {
  try {
    yield* messages
    end()
  } catch (error) {
    end(error)
    throw error
  }
}
