import type { HandlerContext } from '@connectrpc/connect'
import type { Applier, Comparer } from '@nsbox/core/diff'
import { type LayerWorkers, localComparer } from '@nsbox/diff'
import type { ViewOf } from '../rpc/namespace-views.ts'

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
}

/** Makes the differ of each call: it reads and writes blobs of the call's namespace, under its lease. */
export function differsOf(view: ViewOf, { applier, workers }: DifferParts): DifferOf {
  return (context) => {
    const namespaced = view(context)
    return {
      applier: namespaced.applier(applier),
      comparer: localComparer({ workers, content: namespaced.content }),
    }
  }
}
