import type { StreamRequest } from '@connectrpc/connect'
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamResponse,
  type UnaryRequest,
} from '@connectrpc/connect'
import { firstHeaderValue, namespaceHeader, toConnectError } from '@nsbox/api'
import type { Logger } from 'pino'
import type { CallCounts } from '../counts/call-counts.ts'
import { publish } from '../counts/channels.ts'
import { codeName } from '../counts/outcome-code.ts'
import { accessOf, headerOf } from './call-access.ts'
import { type CallSpan, type CallSpans, noCallSpans } from './call-spans.ts'
import { failureLevel } from './failure-level.ts'
import type { LoopMonitor } from './loop-monitor.ts'

/**
 * Logs each call with a number, its method, namespace, duration and code: at debug level, or at the level of its
 * failure. Counts it, and tells the monitor which methods run. Messages and other headers are never logged, since they
 * may hold secrets.
 */
export function requestLog(
  log: Logger,
  {
    loop,
    counts,
    spans = noCallSpans,
  }: {
    readonly loop: Pick<LoopMonitor, 'touch'>
    readonly counts: CallCounts
    /** Makes a span of each call; by default there are none. */
    readonly spans?: CallSpans | undefined
  },
): Interceptor {
  let calls = 0
  return (next) => async (request) => {
    const span = spans.begin(request)
    const end = begin(request, span)
    try {
      const outcome = await span.run(() => next(request))
      const touch = () => loop.touch(request.method)
      if (outcome.stream) {
        // A stream that nobody reads to its end is over once the call is.
        const { signal } = request
        const abort = () => end(signal.reason)
        signal.addEventListener('abort', abort, { once: true })
        const over = (error?: unknown) => {
          signal.removeEventListener('abort', abort)
          end(error)
        }
        return { ...outcome, message: logged(outcome.message, { touch, end: over }) }
      }
      end()
      return outcome
    } catch (error) {
      end(error)
      throw error
    }
  }

  function begin(request: UnaryRequest | StreamRequest, span: CallSpan): (error?: unknown) => void {
    const { service, method } = request
    loop.touch(method)
    const counted = counts.begin(method)
    let isOver = false
    const started = performance.now()
    const number = ++calls
    const caller = () => ({
      namespace: firstHeaderValue(headerOf(request, namespaceHeader)),
      // Empty on the server's own socket.
      peer: accessOf(request).peer || undefined,
    })
    const told = () => ({ call: number, method: `${service.typeName}/${method.name}`, ...caller() })
    if (log.isLevelEnabled('trace')) log.trace(told(), 'call begins')
    return (error) => {
      if (isOver) return
      isOver = true
      span.end(error)
      loop.touch(method)
      const taken = performance.now() - started
      const failure = error === undefined ? undefined : toConnectError(error)
      counted.end(taken / 1000, failure?.code)
      publish('nsbox:call', () => ({
        ...{ service: service.typeName, method: method.name, milliseconds: taken },
        ...{ code: codeName(failure?.code), ...caller() },
      }))
      const ms = Math.round(taken)
      if (failure === undefined) {
        if (log.isLevelEnabled('debug')) log.debug({ ...told(), ms, code: 'ok' }, 'call')
        return
      }
      const level = failureLevel(failure)
      if (!log.isLevelEnabled(level)) return
      log[level]({ ...told(), ms, code: Code[failure.code], err: behind(error) }, 'call failed')
    }
  }
}

/** Why a stream ended that was not read to its end. */
const unread = new ConnectError('the client has stopped reading', Code.Canceled)

/** The error behind a status has the same message, and a stack. */
function behind(error: unknown): unknown {
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
  } finally {
    // Reached without one of the above where the client wants no more.
    end(unread)
  }
}
