import type { LayerForm } from '../extract/layer-form.ts'

/** The trees to make a layer of. */
export interface LayerSource {
  /** The changed tree, or the directory of the topmost layer of an overlay. */
  readonly upper: string
  /** `plain` if `upper` is the whole tree; a form of overlays if it is only the layer on top of `lower`. */
  readonly form: LayerForm
  /** The tree as it was; an empty one by default. */
  readonly lower?: string | undefined
  /** Latest time in the layer, in milliseconds since 1970; no limit by default. */
  readonly sourceDateEpoch?: number | undefined
}
