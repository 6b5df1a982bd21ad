import { isAbsolute } from 'node:path'
import type { Container } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'
import { parseSpec, type RootfsReader } from '@nsbox/oci/runtime-spec'
import type { Session } from '../session.ts'

/**
 * Reads the root filesystem of a container on this host, by its snapshot or the directory that its spec names, as it is
 * on the disk: without what is mounted in the running container.
 */
export async function withRootfs<T>(
  { client, signal }: Pick<Session, 'client' | 'signal'>,
  container: Pick<Container, 'id' | 'snapshotter' | 'snapshotKey' | 'spec'>,
  use: (rootfs: RootfsReader) => Promise<T>,
): Promise<T> {
  if (container.snapshotKey !== '') {
    const mounts = await client.snapshotter(container.snapshotter).mounts(container.snapshotKey, { signal })
    return await withMountedRootfs(mounts, use, { signal })
  }
  const root = parseSpec(container.spec.value).root?.path ?? ''
  if (!isAbsolute(root)) {
    throw new NsboxError(
      'failed_precondition',
      `container ${container.id} does not say where its root filesystem is`,
    )
  }
  return await withRootfsAt(root, use)
}

/** Reads the root filesystem that mounts make. */
export async function withMountedRootfs<T>(
  mounts: Parameters<typeof import('@nsbox/mount').withTempMount>[0],
  use: (rootfs: RootfsReader) => Promise<T>,
  options: { readonly signal: AbortSignal },
): Promise<T> {
  // Loaded only here, and below, since it loads native code.
  const { withTempMount } = await import('@nsbox/mount')
  const { readOnlyMounts } = await import('./read-only-mounts.ts')
  return await withTempMount(readOnlyMounts(mounts), (directory) => withRootfsAt(directory, use), options)
}

/** Reads the root filesystem at a directory. */
export async function withRootfsAt<T>(
  directory: string,
  use: (rootfs: RootfsReader) => Promise<T>,
): Promise<T> {
  const { openRootfs } = await import('./rootfs-reader.ts')
  await using rootfs = await openRootfs(directory)
  return await use(rootfs)
}
