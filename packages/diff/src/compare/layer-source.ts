import type { LayerForm } from '../extract/layer-form.ts'

/** What to make a layer of. */
export interface LayerSource {
  /** The tree as it is to be, or the directory of the topmost layer of an overlay. */
  readonly upper: string
  /** `plain` if `upper` is the whole tree; a form of overlays if it is only what lies on top of `lower`. */
  readonly form: LayerForm
  /** The tree as it was; an empty one by default. */
  readonly lower?: string | undefined
  /** Milliseconds since 1970 beyond which no time of the layer lies; any time by default. */
  readonly sourceDateEpoch?: number | undefined
}
