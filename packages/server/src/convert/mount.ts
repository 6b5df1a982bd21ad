import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { MountSchema } from '@nsbox/api/gen/types/mount_pb'
import type { DiffMount } from '@nsbox/core/diff'
import type { Mount } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'

/** The message of what a snapshotter says to mount. */
export function toMountMessage({
  type,
  source,
  target = '',
  options,
}: Mount): MessageInitShape<typeof MountSchema> {
  return { type, source, target, options: [...options] }
}

/**
 * What a client wants a differ to look at.
 * @throws `unimplemented` for a mount that has a target below another
 */
export function fromMountMessage({
  type,
  source,
  target,
  options,
}: MessageShape<typeof MountSchema>): DiffMount {
  if (target !== '') throw new NsboxError('unimplemented', 'layers of mounts that have a target')
  return { type, source, options }
}

/** What a client wants to be the root filesystem of a task. */
export function fromRootfsMessage({
  type,
  source,
  target,
  options,
}: MessageShape<typeof MountSchema>): Mount {
  return { type, source, options, ...(target === '' ? {} : { target }) }
}
