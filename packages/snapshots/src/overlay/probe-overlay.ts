import { lstat, mkdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LayerDirectory } from '@nsbox/core/snapshots'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { mount, overlayMount, unmount } from '@nsbox/mount'
import { isInUserNamespace } from '@nsbox/sys/user-namespaces'
import { removeTree } from '@nsbox/trees'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { isOpaque } from './attributes.ts'
import { LayerRoot } from './layer-root.ts'

/** How to mount overlays in a directory. */
export interface OverlaySupport {
  /** Options for all of them. */
  readonly options: readonly string[]
  readonly opaqueAttribute: LayerDirectory['opaqueAttribute']
}

/**
 * Finds out how to make overlays whose layers are in `directory`, by making one in its subdirectory `probe` and
 * deleting files in it.
 *
 * @throws `failed_precondition` if the file system of the directory cannot hold layers; `permission_denied`,
 * `unimplemented`
 */
export async function probeOverlay(directory: string): Promise<OverlaySupport> {
  await using cleanup = new AsyncDisposableStack()
  const probe = join(directory, 'probe')
  // Left by a process that died during a probe.
  await unmount(join(probe, 'mounted'))
  cleanup.defer(() => removeTree(probe))
  // In a user namespace the kernel refuses `trusted.` attributes, and uses `user.` ones with `userxattr`.
  const inUserNamespace = isInUserNamespace()
  const opaqueAttribute = inUserNamespace ? 'user.overlay.opaque' : 'trusted.overlay.opaque'
  const needed = inUserNamespace ? ['userxattr'] : []
  // With an index a lower layer could have only one overlay, and a kernel without the feature does not know the option.
  let refused: unknown
  for (const options of [['index=off', ...needed], needed]) {
    await removeTree(probe)
    try {
      await tryOverlay(probe, options, opaqueAttribute)
      return { options, opaqueAttribute }
    } catch (error) {
      if (!isNsboxError(error) || error.code !== 'invalid_argument') throw error
      refused = error
    }
  }
  throw new NsboxError('failed_precondition', `overlays in ${directory}`, { cause: refused })
}

async function tryOverlay(path: string, options: readonly string[], opaqueAttribute: string): Promise<void> {
  const place = (name: string) => join(path, name)
  const [lower, upper, mounted] = [place('lower'), place('upper'), place('mounted')]
  for (const directory of ['', 'lower', 'lower/directory', 'upper', 'work', 'mounted'])
    await mkdir(place(directory))
  await writeFile(join(lower, 'file'), '')
  const refuse = (cause?: unknown) =>
    new NsboxError('failed_precondition', `overlays in ${path} do not keep deletions`, { cause })
  await mount(overlayMount({ lower: [lower], upper, work: place('work') }, options), mounted)
  try {
    await rm(join(mounted, 'file'))
    await rmdir(join(mounted, 'directory'))
    await mkdir(join(mounted, 'directory'))
  } catch (error) {
    // Without extended attributes the kernel fails only now, with EIO.
    throw refuse(error)
  } finally {
    await unmount(mounted)
  }
  const whiteout = await lstat(join(upper, 'file'))
  using directory = new LayerRoot(join(upper, 'directory'))
  const marked = isOpaque(directory.fd, opaqueAttribute)
  if (!whiteout.isCharacterDevice() || whiteout.rdev !== 0 || !marked) throw refuse()
}
