import type { Progress } from '@nsbox/api/gen/types/transfer/progress_pb'

/** How far a layer of a pull has come. */
export interface LayerProgress {
  /** As the server names it: `layer-` and its digest. */
  readonly name: string
  /** Bytes; 0 if that is not known. */
  readonly size: number
  readonly received: number
  /** The server's word: `waiting`, `downloading`, `already exists`, `complete`, `extracting`, `extracted`. */
  readonly state: string
}

/** The layers of a pull in the order in which they were heard of, and what the server says of the whole. */
export interface PullProgress {
  readonly line: string
  readonly layers: readonly LayerProgress[]
}

/** Most layers that are followed. */
const most = 500

/** Takes a step that the server tells of (`containerd.types.transfer.Progress`). */
export function withStep(
  { line, layers }: PullProgress,
  { event, name, progress, total }: Pick<Progress, 'event' | 'name' | 'progress' | 'total'>,
): PullProgress {
  if (name === '') return { line: event, layers }
  if (!name.startsWith('layer-')) return { line, layers }
  const before = layers.find((layer) => layer.name === name)
  const size = Number(total) || (before?.size ?? 0)
  const isWhole = event !== 'waiting' && event !== 'downloading'
  const received = isWhole ? size : Math.max(Number(progress), before?.received ?? 0)
  const layer: LayerProgress = { name, size, received, state: event }
  if (before !== undefined) return { line, layers: layers.map((other) => (other === before ? layer : other)) }
  return { line, layers: layers.length < most ? [...layers, layer] : layers }
}

/** Bytes that have come, and all that are known of. */
export function totals({ layers }: PullProgress): { readonly received: number; readonly size: number } {
  return {
    received: layers.reduce((sum, { received }) => sum + received, 0),
    size: layers.reduce((sum, { size, received }) => sum + Math.max(size, received), 0),
  }
}
