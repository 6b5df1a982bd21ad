import { NsboxError } from '@nsbox/errors'
import { MS, mount } from '@nsbox/sys'
import { attributeFlags, attributesInTable, type MountAttributes } from '../mount-attributes.ts'
import { mountIdOfDescriptor } from './mount-id.ts'
import { mountTable } from './mount-table.ts'
import type { OwnedDescriptor } from './owned-descriptor.ts'

/**
 * Changes attributes of a mount whose root is open, and of that mount only. mount(2) takes all of them at
 * once, so those that are not to change are read from the mount table; a mount made by another user namespace
 * could not be changed otherwise.
 */
export async function remount(made: OwnedDescriptor, attributes: MountAttributes): Promise<void> {
  const id = mountIdOfDescriptor(made.fd)
  for await (const info of mountTable()) {
    if (info.id !== id) continue
    const flags = attributeFlags({ ...attributesInTable(info.options), ...attributes })
    mount(null, made.path, null, MS.REMOUNT | MS.BIND | flags, null)
    return
  }
  throw new NsboxError('not_found', 'mount to change')
}
