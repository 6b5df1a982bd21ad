import type { HandlerContext } from '@connectrpc/connect'
import type { Applier, Comparer } from '@nsbox/core/diff'
import { type LayerWorkers, localComparer } from '@nsbox/diff'
import type { ViewOf } from '../rpc/namespace-views.ts'
import type { Tracer } from '../tracing/tracer.ts'

/** Applies and makes layers, for one namespace. */
export interface Differ {
  readonly applier: Applier
  readonly comparer: Comparer
}

/** The differ of a call, by its headers. */
export type DifferOf = (context: HandlerContext) => Differ

/** The parts of differs. */
export interface DifferParts {
  /** For the blobs of all namespaces. */
  readonly applier: Applier
  readonly workers: LayerWorkers
  readonly tracer: Tracer
}

/** Makes the differ of each call: it reads and writes blobs of the call's namespace, under its lease. */
export function differsOf(view: ViewOf, { applier, workers, tracer }: DifferParts): DifferOf {
  return (context) => {
    const namespaced = view(context)
    const own = namespaced.applier(applier)
    const comparer = localComparer({ workers, content: namespaced.content })
    return {
      applier: {
        apply: (layer, mounts, options) => {
          const { digest, mediaType, size } = layer
          const facts = () => ({ 'nsbox.digest': digest, 'nsbox.media_type': mediaType, 'nsbox.size': size })
          return tracer.span('nsbox.diff.apply', facts, () => own.apply(layer, mounts, options))
        },
      },
      comparer: {
        compare: (lower, upper, options) =>
          tracer.span(
            'nsbox.diff.compare',
            () => ({}),
            async (span) => {
              const { digest, mediaType, size, ...rest } = await comparer.compare(lower, upper, options)
              span.add({ 'nsbox.digest': digest, 'nsbox.media_type': mediaType, 'nsbox.size': size })
              return { digest, mediaType, size, ...rest }
            },
          ),
      },
    }
  }
}
