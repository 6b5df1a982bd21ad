import { openSync } from 'node:fs'
import { fromSystemError } from '@nsbox/errors'
import { O_PATH } from '@nsbox/sys'
import { ownedDescriptor } from './owned-descriptor.ts'

/** The longest string that fsconfig(2) takes, in bytes. */
export const maxSetting = 255

// Characters without a special meaning in any version of overlayfs, including in a list of options.
const plain = /^[^\\:,"\p{Cc}]+$/u

/**
 * The text for a directory in an option of overlayfs. A path that is long, or that some version of the kernel might
 * misread, is replaced by one through a descriptor, which `hold` keeps open until the kernel has looked it up. Escapes
 * would not work: whether the kernel decodes them depends on its version, the call and the option.
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
