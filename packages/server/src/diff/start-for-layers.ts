import type { LayerWorkers } from '@nsbox/diff'

/**
 * Starts the threads when a client begins to write a layer, which it tells by the ref (docs/behaviour.md §3). A client
 * that fetches a layer itself has it applied next, and would wait until a thread has started.
 */
export const startForLayers = (workers: Pick<LayerWorkers, 'start'>) => (ref: string) => {
  if (ref.startsWith('layer-')) workers.start()
}
