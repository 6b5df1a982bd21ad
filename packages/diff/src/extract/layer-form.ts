/**
 * How a directory says that something of the lower layers is gone.
 *
 * - `overlay`: whiteouts are character devices 0:0, opaque directories have the attribute `trusted.overlay.opaque`.
 *   The directory is an upper one: it holds nothing of the lower layers.
 * - `overlay-user`: the same with `user.overlay.opaque`, for overlayfs mounted with `userxattr` in a user namespace.
 * - `plain`: it is removed. The directory holds the lower layers' content.
 */
export type LayerForm = 'overlay' | 'overlay-user' | 'plain'

/** The attribute that marks an opaque directory; undefined where that is done by removal. */
export function opaqueXattr(form: LayerForm): string | undefined {
  if (form === 'plain') return undefined
  return form === 'overlay' ? 'trusted.overlay.opaque' : 'user.overlay.opaque'
}
