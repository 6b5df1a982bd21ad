import type { Mount } from '@nsbox/core/snapshots'

/** Most mounts of a snapshot. */
const maxMounts = 64

/** Most bytes of all texts of a snapshot's mounts; an overlay names each of its layers. */
const maxBytes = 1 << 20

/**
 * What is wrong with mounts that a plugin gives; undefined if nothing is. What they show is for the plugin to say, as
 * it has the files.
 */
export function faultOfMounts(mounts: readonly Mount[]): string | undefined {
  if (mounts.length === 0) return 'no mounts'
  if (mounts.length > maxMounts) return `${mounts.length} mounts, at most ${maxMounts} are taken`
  const texts = mounts.flatMap(({ type, source, target = '', options }) => [type, source, target, ...options])
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)
  if (bytes > maxBytes) return `mounts of ${bytes} bytes, at most ${maxBytes} are taken`
  if (texts.some((text) => text.includes('\0'))) return 'mounts with a NUL'
  return undefined
}
