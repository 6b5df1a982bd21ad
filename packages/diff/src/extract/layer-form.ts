/**
 * The form of deletions in the directory of a layer.
 *
 * - `overlay`: whiteouts are character devices 0:0, opaque directories have the attribute `trusted.overlay.opaque`. The
 *   directory is an upper one, without content of the lower layers.
 * - `overlay-user`: the same with `user.overlay.opaque`, for overlayfs mounted with `userxattr` in a user namespace.
 * - `plain`: files are removed. The directory has the lower layers' content.
 */
export type LayerForm = 'overlay' | 'overlay-user' | 'plain'

/** The attribute that marks an opaque directory; undefined for `plain`. */
export function opaqueXattr(form: LayerForm): string | undefined {
  if (form === 'plain') return undefined
  return form === 'overlay' ? 'trusted.overlay.opaque' : 'user.overlay.opaque'
}
