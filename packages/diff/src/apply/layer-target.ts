import type { DiffMount } from '@nsbox/core/diff'
import { writtenTree } from '@nsbox/mount'
import type { LayerForm } from '../extract/layer-form.ts'

/** The directory that a layer is written to, and how deletions are expressed in it. */
export interface LayerTarget {
  readonly root: string
  readonly form: LayerForm
}

/**
 * Finds the directory to write a snapshot's layer to, without mounting anything: the upper directory of an overlay or
 * the source of a bind mount.
 *
 * @throws `failed_precondition` for a snapshot that cannot be written; `unimplemented` for other mounts;
 * `invalid_argument` for contradictory mounts
 */
export function layerTarget(mounts: readonly DiffMount[]): LayerTarget {
  const { directory, overlay } = writtenTree(mounts)
  if (overlay === undefined) return { root: directory, form: 'plain' }
  return { root: directory, form: overlay.userAttributes ? 'overlay-user' : 'overlay' }
}
