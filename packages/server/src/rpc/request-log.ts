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
import { failureLevel } from './failure-level.ts'
import type { LoopMonitor } from './loop-monitor.ts'

/**
 * Logs each call with a number, its method, namespace, duration and code: at debug level, or at the level of its
 * failure. Tells the monitor which methods run. Messages and other headers are never logged, since they may hold
 * secrets.
 */
export function requestLog(log: Logger, loop: Pick<LoopMonitor, 'touch'>): Interceptor {
  let calls = 0
  return (next) => async (request) => {
    const end = begin(request)
    try {
      const outcome = await next(request)
      const touch = () => loop.touch(request.method)
      if (outcome.stream) return { ...outcome, message: logged(outcome.message, { touch, end }) }
      end()
      return outcome
    } catch (error) {
      end(error)
      throw error
    }
  }

  function begin(request: UnaryRequest | StreamRequest): (error?: unknown) => void {
    const { service, method } = request
    loop.touch(method)
    const started = performance.now()
    const call = {
      call: ++calls,
      method: `${service.typeName}/${method.name}`,
      namespace: firstHeaderValue(headerOf(request, namespaceHeader)),
      // Empty on the server's own socket.
      peer: accessOf(request).peer || undefined,
    }
    log.trace(call, 'call begins')
    return (error) => {
      loop.touch(method)
      const ms = Math.round(performance.now() - started)
      if (error === undefined) return log.debug({ ...call, ms, code: 'ok' }, 'call')
      const failure = ConnectError.from(error)
      const facts = { ...call, ms, code: Code[failure.code], err: told(error) }
      log[failureLevel(failure)](facts, 'call failed')
    }
  }
}

/** The error behind a status has the same message, and a stack. */
function told(error: unknown): unknown {
  return error instanceof ConnectError && error.cause instanceof Error ? error.cause : error
}

async function* logged(
  messages: StreamResponse['message'],
  { touch, end }: { touch: () => void; end: (error?: unknown) => void },
): StreamResponse['message'] {
  try {
    for await (const message of messages) {
      touch()
      yield message
    }
    end()
  } catch (error) {
    end(error)
    throw error
  }
}
