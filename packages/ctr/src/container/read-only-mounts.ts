import type { Mount } from '@nsbox/core/snapshots'
import { overlayLayers, overlayMount } from '@nsbox/mount'

/**
 * Mounts of a snapshot for looking at it only. An overlay does not get its directory for changes a second time, which
 * the kernel forbids while a container uses it; it becomes the topmost of the others.
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
    // An overlay of one directory that nobody writes to is none.
    if (directories.length === 1 && only !== undefined)
      return { type: 'bind', source: only, options: ['rbind', 'ro'] }
    return overlayMount({ lower: directories }, ['ro'])
  })
}
