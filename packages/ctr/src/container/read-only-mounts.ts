import type { Mount } from '@nsbox/core/snapshots'
import { overlayLayers, overlayMount } from '@nsbox/mount'

/**
 * Mounts of a snapshot for looking at it only. The upper directory of an overlay becomes its topmost lower one, since
 * the kernel forbids using it twice.
 */
export function readOnlyMounts(mounts: readonly Mount[]): Mount[] {
  return mounts.map((mount) => {
    const layers = overlayLayers(mount)
    if (layers === undefined) {
      const options = mount.options.filter((option) => option !== 'rw' && option !== 'ro')
      return { ...mount, options: [...options, 'ro'] }
    }
    const directories = [...(layers.upper === undefined ? [] : [layers.upper]), ...layers.lower]
    const [only] = directories
    // An overlay without an upper directory needs two lower ones.
    if (directories.length === 1 && only !== undefined)
      return { type: 'bind', source: only, options: ['rbind', 'ro'] }
    return overlayMount({ lower: directories }, ['ro'])
  })
}
