import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { MountSchema } from '@nsbox/api/gen/types/mount_pb'
import type { DiffMount } from '@nsbox/core/diff'
import type { Mount } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'

/** The message of a mount. */
export function toMountMessage({
  type,
  source,
  target = '',
  options,
}: Mount): MessageInitShape<typeof MountSchema> {
  return { type, source, target, options: [...options] }
}

type MountMessage = MessageShape<typeof MountSchema>

/** Limits: mounts of a list, bytes of a path (PATH_MAX of Linux), and characters of a whole list. */
const limits = { mounts: 256, path: 4096, total: 1024 * 1024 }

/**
 * A differ's mounts from a client.
 * @throws `unimplemented` for a mount with a target below another; `invalid_argument` beyond the limits
 */
export function fromMountMessages(mounts: readonly MountMessage[]): DiffMount[] {
  return checked(mounts).map(({ type, source, target, options }) => {
    if (target !== '') throw new NsboxError('unimplemented', 'layers of mounts that have a target')
    return { type, source, options }
  })
}

/** A root filesystem's mounts from a client. @throws `invalid_argument` beyond the limits */
export function fromRootfsMessages(mounts: readonly MountMessage[]): Mount[] {
  return checked(mounts).map(({ type, source, target, options }) => {
    return { type, source, options, ...(target === '' ? {} : { target }) }
  })
}

/** Paths are parsed and looked up on the event loop, so their length is bounded (docs/threat-model.md D09). */
function checked(mounts: readonly MountMessage[]): readonly MountMessage[] {
  if (mounts.length > limits.mounts)
    throw new NsboxError('invalid_argument', `${mounts.length} mounts, at most ${limits.mounts} are allowed`)
  let total = 0
  for (const { type, source, target, options } of mounts) {
    for (const text of [type, source, target]) {
      if (text.length > limits.path || text.includes('\0'))
        throw new NsboxError(
          'invalid_argument',
          `a type or path of a mount with ${text.length} characters or a NUL, at most ${limits.path} are allowed`,
        )
      total += text.length
    }
    for (const option of options) total += option.length + 1
  }
  if (total <= limits.total) return mounts
  throw new NsboxError(
    'invalid_argument',
    `mounts of ${total} characters, at most ${limits.total} are allowed`,
  )
}
