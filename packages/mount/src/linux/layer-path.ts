import { openSync } from 'node:fs'
import { fromSystemError } from '@nsbox/errors'
import { O_PATH } from '@nsbox/sys'
import { ownedDescriptor } from './owned-descriptor.ts'

/** The longest string that fsconfig(2) takes, in bytes. */
export const maxSetting = 255

// Characters that have no special meaning to any version of overlayfs, in a list of options either.
const plain = /^[^\\:,"\p{Cc}]+$/u

/**
 * The text that stands for a directory in an option of overlayfs. A path that is long, or that some version
 * of the kernel might read as another, is given by way of a descriptor, which `hold` keeps open until the
 * kernel has looked it up. Escapes would not do: whether the kernel undoes them depends on its version, the
 * call and the option.
 *
 * @param short whether every path is to be given by a descriptor, to save room
 */
export function layerPath(path: string, hold: DisposableStack, short = false): string {
  if (!short && plain.test(path) && Buffer.byteLength(path) <= maxSetting) return path
  try {
    return hold.use(ownedDescriptor(openSync(path, O_PATH))).path
  } catch (error) {
    throw fromSystemError(error, `overlay directory ${JSON.stringify(path)}`)
  }
}
