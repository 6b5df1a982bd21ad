import { create, type MessageShape } from '@bufbuild/protobuf'
import { MountSchema } from '@nsbox/api/gen/types/mount_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Mount } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import { toMountMessage } from '../convert/mount.ts'

type MountMessage = MessageShape<typeof MountSchema>

/** The type of a mount that tenants get, since real ones would reveal paths of the host. */
const type = 'nsbox.snapshot'
const option = 'snapshotter='

/** Finds the mounts of a tenant's snapshot. The name of the snapshotter may be empty. */
export type MountsOf = (snapshotter: string, key: string, options: AbortOptions) => Promise<readonly Mount[]>

/**
 * The mount that a tenant gets for a snapshot, which has its name. The server accepts it wherever it accepts mounts.
 */
export function snapshotMount(snapshotter: string, key: string): MountMessage {
  return create(MountSchema, { type, source: key, options: [`${option}${snapshotter}`] })
}

/**
 * Resolves a tenant's mounts to those of its snapshot, or none. So no path of a tenant is ever mounted.
 * @throws `permission_denied` for any other mount; as `mountsOf`
 */
export async function resolveMounts(
  mounts: readonly MountMessage[],
  mountsOf: MountsOf,
  options: AbortOptions,
): Promise<MountMessage[]> {
  const [mount, ...others] = mounts
  if (mount === undefined) return []
  const [named, ...more] = mount.options
  const isAlone = mount.type === type && mount.target === '' && more.length === 0 && others.length === 0
  if (!isAlone || !named?.startsWith(option)) {
    throw new NsboxError(
      'permission_denied',
      `mounts of a tenant other than those that the server has said of a snapshot (type ${type})`,
    )
  }
  const found = await mountsOf(named.slice(option.length), mount.source, options)
  return found.map((each) => create(MountSchema, toMountMessage(each)))
}
