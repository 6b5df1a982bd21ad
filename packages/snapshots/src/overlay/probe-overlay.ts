import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LayerDirectory } from '@nsbox/core/snapshots'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { overlayMount, removeTree, withTempMount } from '@nsbox/mount'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { isOpaque } from './attributes.ts'

/** How overlays are made in a place. */
export interface OverlaySupport {
  /** The options that all of them get. */
  readonly options: readonly string[]
  readonly opaqueAttribute: LayerDirectory['opaqueAttribute']
}

/**
 * Finds out how overlays are made whose layers are in `directory`, by making one and deleting files in it.
 *
 * @throws `failed_precondition` if the file system of the directory does not do for it; `permission_denied`,
 * `unimplemented`
 */
export async function probeOverlay(directory: string): Promise<OverlaySupport> {
  await using cleanup = new AsyncDisposableStack()
  const probe = await mkdtemp(join(directory, 'probe-'))
  cleanup.defer(() => removeTree(probe))
  // In a user namespace the kernel refuses the attributes that are trusted, and takes others on request.
  const inUserNamespace = !/^\s*0\s+0\s+4294967295\s*$/.test(await readFile('/proc/self/uid_map', 'utf8'))
  const opaqueAttribute = inUserNamespace ? 'user.overlay.opaque' : 'trusted.overlay.opaque'
  const needed = inUserNamespace ? ['userxattr'] : []
  // With an index a lower layer could have one overlay only, and a kernel without the feature does not know the option.
  let refused: unknown
  for (const [at, options] of [['index=off', ...needed], needed].entries()) {
    try {
      await tryOverlay(join(probe, String(at)), options, opaqueAttribute)
      return { options, opaqueAttribute }
    } catch (error) {
      if (!isNsboxError(error) || error.code !== 'invalid_argument') throw error
      refused = error
    }
  }
  throw new NsboxError('failed_precondition', `overlays in ${directory}`, { cause: refused })
}

async function tryOverlay(path: string, options: readonly string[], opaqueAttribute: string): Promise<void> {
  const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => join(path, name)) as [
    string,
    string,
    string,
  ]
  for (const directory of [path, lower, upper, work, join(lower, 'directory')]) await mkdir(directory)
  await writeFile(join(lower, 'file'), '')
  await withTempMount([overlayMount({ lower: [lower], upper, work }, options)], async (mounted) => {
    await rm(join(mounted, 'file'))
    await rm(join(mounted, 'directory'), { recursive: true })
    await mkdir(join(mounted, 'directory'))
  })
  const whiteout = await lstat(join(upper, 'file'))
  const marked = isOpaque(Buffer.from(join(upper, 'directory')), opaqueAttribute)
  if (!whiteout.isCharacterDevice() || whiteout.rdev !== 0 || !marked)
    throw new NsboxError('failed_precondition', `overlays in ${path} keep deletions in another way`)
}
