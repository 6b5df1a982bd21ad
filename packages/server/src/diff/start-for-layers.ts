import type { LayerWorkers } from '@nsbox/diff'

/**
 * Starts the threads when a client begins to write a layer, which the ref shows (docs/behaviour.md §3). A client that
 * fetches a layer itself applies it next, and would wait until a thread has started.
 */
export const startForLayers = (workers: Pick<LayerWorkers, 'start'>) => (ref: string) => {
  if (ref.startsWith('layer-')) workers.start()
}
