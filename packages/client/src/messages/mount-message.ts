import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Mount as MountMessage, MountSchema } from '@nsbox/api/gen/types/mount_pb'
import type { DiffMount } from '@nsbox/core/diff'
import type { Mount } from '@nsbox/core/snapshots'

/** A mount for a request; those for a differ have no target. */
export function mountMessage(mount: DiffMount | Mount): MessageInitShape<typeof MountSchema> {
  const { type, source, options } = mount
  return { type, source, target: 'target' in mount ? mount.target : '', options: [...options] }
}

/** A mount from a response. */
export function receivedMount({ type, source, target, options }: MountMessage): Mount {
  return { type, source, ...(target && { target }), options }
}
