import { realpath } from 'node:fs/promises'
import type { DiffMount } from '@nsbox/core/diff'
import { fromSystemError, isErrno } from '@nsbox/errors'
import { overlayLayers } from '@nsbox/mount'

/**
 * The directories that can be written to through mounts, without symbolic links. Those that do not exist are left out.
 * @throws `invalid_argument` for options of an overlay that cannot be read
 */
export async function writablePaths(mounts: readonly DiffMount[]): Promise<string[]> {
  const paths: string[] = []
  for (const mount of mounts) {
    const path = writtenPath(mount)
    const resolved = path === undefined ? undefined : await resolvePath(path)
    if (resolved !== undefined) paths.push(resolved)
  }
  return paths
}

function writtenPath(mount: DiffMount): string | undefined {
  const overlay = overlayLayers(mount)
  if (overlay !== undefined) return overlay.upper
  return mount.options.includes('ro') ? undefined : mount.source
}

async function resolvePath(path: string): Promise<string | undefined> {
  if (path.includes('\0')) return undefined
  try {
    return await realpath(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw fromSystemError(error, 'directory of a mount')
  }
}
