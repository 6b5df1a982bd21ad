import type { DiffMount } from '@nsbox/core/diff'
import { NsboxError } from '@nsbox/errors'
import { overlayLayers } from '@nsbox/mount'
import type { LayerForm } from '../extract/layer-form.ts'

/** The directory that a layer is written to, and how removals are said in it. */
export interface LayerTarget {
  readonly root: string
  readonly form: LayerForm
}

/**
 * Where a layer for a snapshot is written, without mounting anything: the upper directory of an overlay, the source of
 * a bind mount.
 *
 * @throws `failed_precondition` for a snapshot that cannot be written; `unimplemented` for other mounts
 */
export function layerTarget(mounts: readonly DiffMount[]): LayerTarget {
  const [mount] = mounts
  if (mount === undefined || mounts.length > 1)
    throw new NsboxError('unimplemented', `applying a layer to ${mounts.length} mounts`)
  const { type, source, options } = mount
  if (type === 'bind' || options.includes('bind') || options.includes('rbind')) {
    if (options.includes('ro')) throw readOnly()
    return { root: source, form: 'plain' }
  }
  if (type !== 'overlay') throw new NsboxError('unimplemented', `applying a layer to a mount of type ${type}`)
  const upper = overlayLayers(mount)?.upper
  if (upper === undefined) throw readOnly()
  return { root: upper, form: options.includes('userxattr') ? 'overlay-user' : 'overlay' }
}

function readOnly(): NsboxError {
  return new NsboxError('failed_precondition', 'the snapshot to apply a layer to is read-only')
}
