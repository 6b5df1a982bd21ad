import { Code } from '@connectrpc/connect'
import { firstHeaderValue, namespaceHeader, toConnectError } from '@nsbox/api'
import type * as Api from '@opentelemetry/api'
import { accessOf, headerOf } from '../rpc/call-access.ts'
import type { CallSpans } from '../rpc/call-spans.ts'
import { version } from '../version.ts'
import { boundedFacts, boundedText } from './bounded-facts.ts'
import type { OpenSpan, Tracer } from './tracer.ts'

/** Where an SDK of OpenTelemetry registers itself for all copies of the API in a process. */
const registered = Symbol.for('opentelemetry.js.api.1')

/** Tracing by OpenTelemetry. */
export interface OpenTelemetry {
  readonly tracer: Tracer
  readonly callSpans: CallSpans
}

/**
 * Tracing by the SDK that is registered in this process; undefined if there is none, and then the API is not loaded.
 */
export async function openTelemetry(): Promise<OpenTelemetry | undefined> {
  if (!hasSdk()) return undefined
  const api = await import('@opentelemetry/api')
  return { tracer: tracerOf(api), callSpans: callSpansOf(api) }
}

/** Whether an SDK of OpenTelemetry is registered in this process, for traces. */
export function hasSdk(): boolean {
  const global = (globalThis as Record<symbol, { readonly trace?: object } | undefined>)[registered]
  return global?.trace !== undefined
}

const sdkTracer = ({ trace }: typeof Api) => trace.getTracer('nsbox', version)

function tracerOf(api: typeof Api): Tracer {
  const { context, trace } = api
  const own = sdkTracer(api)
  const opened = (span: Api.Span): OpenSpan => ({ add: (facts) => span.setAttributes(boundedFacts(facts)) })
  return {
    async span(name, facts, work) {
      const span = own.startSpan(name, { attributes: boundedFacts(facts()) })
      try {
        return await context.with(trace.setSpan(context.active(), span), () => work(opened(span)))
      } catch (error) {
        fail(api, span, error)
        throw error
      } finally {
        span.end()
      }
    },
    async *items(name, facts, read) {
      const span = own.startSpan(name, { attributes: boundedFacts(facts()) })
      try {
        yield* read(opened(span))
      } catch (error) {
        fail(api, span, error)
        throw error
      } finally {
        span.end()
      }
    },
  }
}

/**
 * Spans of calls, with the names and attributes that OpenTelemetry's conventions have for gRPC, as otelgrpc of
 * containerd's makes them (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/). The trace of the caller goes on
 * (`traceparent`), unless that is a tenant, who would have a say in what the operator records.
 */
function callSpansOf(api: typeof Api): CallSpans {
  const { context, propagation, trace, SpanKind } = api
  const own = sdkTracer(api)
  return {
    begin(request) {
      const { service, method } = request
      const peer = accessOf(request).peer || undefined
      const carrier: Api.TextMapGetter<undefined> = {
        keys: () => [],
        get: (_, name) => headerOf(request, name.toLowerCase()) ?? undefined,
      }
      const caller =
        peer === undefined ? propagation.extract(context.active(), undefined, carrier) : context.active()
      const attributes = boundedFacts({
        'rpc.system': 'grpc',
        'rpc.service': service.typeName,
        'rpc.method': method.name,
        'nsbox.namespace': firstHeaderValue(headerOf(request, namespaceHeader)),
        'nsbox.peer': peer,
      })
      const name = `${service.typeName}/${method.name}`
      const span = own.startSpan(name, { kind: SpanKind.SERVER, attributes }, caller)
      const within = trace.setSpan(caller, span)
      return {
        run: (work) => context.with(within, work),
        end(error) {
          span.setAttribute('rpc.grpc.status_code', error === undefined ? 0 : toConnectError(error).code)
          if (error !== undefined && isFault(toConnectError(error).code)) fail(api, span, error)
          span.end()
        },
      }
    },
  }
}

/** Statuses that are errors of a server, and not of its client. */
const faults: readonly Code[] = [
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]

const isFault = (code: Code) => faults.includes(code)

function fail({ SpanStatusCode }: typeof Api, span: Api.Span, error: unknown): void {
  const { code, rawMessage } = toConnectError(error)
  span.setAttribute('error.type', Code[code])
  span.setStatus({ code: SpanStatusCode.ERROR, message: boundedText(rawMessage) })
}
