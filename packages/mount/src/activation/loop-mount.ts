import { readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { isNotFound, NsboxError, quoted } from '@nsbox/errors'
import { attachLoopDevice, type LoopDevice, openLoopDevice } from '@nsbox/sys/files'
import { mountError } from '../linux/mount-error.ts'
import type { Mount } from '../mount-record.ts'

const known: ReadonlySet<string> = new Set(['ro', 'rw', 'direct-io'])

/**
 * Attaches the source of a `loop` mount to a block device, and makes `path` a symbolic link to that. It stays until
 * `endLoopMount`.
 *
 * @throws `invalid_argument` for an unknown option; as `attachLoopDevice`
 */
export function makeLoopMount({ source, options }: Mount, path: string): void {
  const unknown = options.find((option) => !known.has(option))
  if (unknown !== undefined)
    throw new NsboxError('invalid_argument', `option ${quoted(unknown)} of a loop mount`)
  const readOnly = options.findLast((option) => option !== 'direct-io') === 'ro'
  try {
    using device = attachLoopDevice(source, { readOnly, directIo: options.includes('direct-io') })
    symlinkSync(device.path, path)
    device.keep(true)
  } catch (error) {
    throw mountError(error, `loop device of ${quoted(source)}`)
  }
}

/** Lets a loop device end with its last mount, and removes the link to it. */
export function endLoopMount(path: string): void {
  using device = opened(readlinkSync(path))
  device?.keep(false)
  unlinkSync(path)
}

/** Undefined if it has been detached already. */
function opened(path: string): LoopDevice | undefined {
  try {
    return openLoopDevice(path)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
