import { NsboxError } from '@nsbox/errors'
import * as sys from '@nsbox/sys'
import { DisposableStack } from '@whatwg-node/disposablestack'
import { attributeFlags } from '../mount-attributes.ts'
import { propagationFlags, superblockFlags } from '../mount-options.ts'
import type { OverlayLayers } from '../overlay.ts'
import { layerPath } from './layer-path.ts'
import { mountIdOfDescriptor } from './mount-id.ts'
import type { MountRequest } from './mount-request.ts'
import type { OwnedDescriptor } from './owned-descriptor.ts'
import { remount } from './remount.ts'

// The kernel silently cuts off the last byte of a page.
const maxData = 4095

/**
 * Mounts with mount(2), for kernels without the calls that `detachedMount` makes. Attributes of a bind mount and
 * propagation take further calls, and until these are done the mount can be seen without them.
 *
 * @param reopen opens the place again, which then is the mount made
 */
export async function classicMount(
  request: MountRequest,
  place: OwnedDescriptor,
  reopen: () => OwnedDescriptor,
): Promise<void> {
  const { bind, source, attributes, propagation } = request
  if (bind === undefined) newFileSystem(request, place.path)
  else sys.mount(source, place.path, null, sys.MS.BIND | (bind === 'recursive' ? sys.MS.REC : 0), null)
  const changes = bind !== undefined && Object.keys(attributes).length > 0
  if (!changes && propagation === undefined) return
  using made = reopen()
  if (mountIdOfDescriptor(made.fd) === mountIdOfDescriptor(place.fd))
    throw new NsboxError('aborted', 'the place was moved while something was mounted there')
  try {
    if (changes) await remount(made, attributes)
    if (propagation === undefined) return
    const { kind, recursive } = propagation
    sys.mount(null, made.path, null, propagationFlags[kind] | (recursive ? sys.MS.REC : 0), null)
  } catch (error) {
    // Only our own descriptor uses it.
    await sys.umount2(made.path, sys.UMOUNT.DETACH)
    throw error
  }
}

function newFileSystem(
  { type, source, attributes, superblock, fileSystem, layers }: MountRequest,
  target: string,
): void {
  let flags = attributeFlags(attributes)
  for (const word of superblock) {
    const flag = superblockFlags.get(word) ?? 0
    flags = flag < 0 ? flags & flag : flags | flag
  }
  using hold = new DisposableStack()
  const options = fileSystem.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`))
  // A comma would start an option of its own.
  if (options.some((option) => option.includes(',')))
    throw new NsboxError(
      'invalid_argument',
      'mount option with a comma, on a kernel that takes all options as one text',
    )
  if (layers !== undefined) options.push(...layerOptions(layers, hold, options.join(',').length))
  const data = options.join(',')
  if (Buffer.byteLength(data) > maxData)
    throw new NsboxError(
      'invalid_argument',
      `mount options over ${maxData} bytes, on a kernel that takes no more`,
    )
  sys.mount(source, target, type, flags, data === '' ? null : data)
}

/** Options for the layers, with descriptors in place of paths that would not fit. */
function layerOptions({ lower, upper, work }: OverlayLayers, hold: DisposableStack, used: number): string[] {
  const length = [...lower, upper ?? '', work ?? ''].reduce(
    (sum, path) => sum + Buffer.byteLength(path) + 1,
    used,
  )
  const short = length > maxData - 100
  const option = (key: string, path: string) => `${key}=${layerPath(path, hold, short)}`
  return [
    `lowerdir=${lower.map((path) => layerPath(path, hold, short)).join(':')}`,
    ...(upper === undefined ? [] : [option('upperdir', upper)]),
    ...(work === undefined ? [] : [option('workdir', work)]),
  ]
}
