import type {
  AbortOptions,
  CommitLayerOptions,
  LayerDirectories,
  LayerDirectory,
  SnapshotInfo,
} from '@nsbox/core/snapshots'
import { LocalSnapshotter, type LocalSnapshotterParts } from '../local-snapshotter.ts'
import type { OverlayForm } from './overlay-form.ts'

/** A local snapshotter whose layers can be written before their parents exist. */
export class OverlaySnapshotter extends LocalSnapshotter implements LayerDirectories {
  readonly #form: OverlayForm

  /** @internal use `openOverlaySnapshotter` */
  constructor(parts: Omit<LocalSnapshotterParts, 'form'>, form: OverlayForm) {
    super({ ...parts, form })
    this.#form = form
  }

  async layerDirectory(key: string, options?: AbortOptions): Promise<LayerDirectory> {
    return {
      path: await this.activeDirectory(key, options),
      opaqueAttribute: this.#form.opaqueAttribute,
    }
  }

  override commit(name: string, key: string, options: CommitLayerOptions = {}): Promise<SnapshotInfo> {
    const { impliedDirectories = [] } = options
    return this.commitWith(name, key, options, async (path, parents) => {
      if (impliedDirectories.length > 0) await this.#form.rebase(path, parents, impliedDirectories)
    })
  }
}
