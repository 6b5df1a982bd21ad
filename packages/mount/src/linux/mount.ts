import { readlinkSync } from 'node:fs'
import { moveMount } from '@nsbox/sys'
import { attachLoopDevice } from '@nsbox/sys/files'
import type { PlaceOptions } from '../mount-platform.ts'
import type { Mount } from '../mount-record.ts'
import { classicMount } from './classic-mount.ts'
import { detachedMount } from './detached-mount.ts'
import { mountError } from './mount-error.ts'
import { type MountRequest, mountRequest } from './mount-request.ts'
import { openPlace } from './place.ts'
import { remount } from './remount.ts'

/** Mounts, with the calls of Linux 5.2 and later where they suffice and with mount(2) otherwise. */
export async function mountOnLinux(mount: Mount, target: string, options: PlaceOptions): Promise<string> {
  try {
    const asked = mountRequest(mount)
    using device = asked.loop ? attachLoopDevice(asked.source, { readOnly: isReadOnly(asked) }) : undefined
    const request = device === undefined ? asked : { ...asked, source: device.path }
    const { noFollow = false } = options
    const open = () => openPlace({ target, below: mount.target ?? '', noFollow })
    using place = open()
    const path = readlinkSync(place.path)
    if (request.remount) {
      await remount(place, request.attributes)
      return path
    }
    using detached = detachedMount(request)
    if (detached === undefined) await classicMount(request, place, open)
    else moveMount(detached.fd, place.fd)
    return path
  } catch (error) {
    const what = mount.type === '' ? 'a file system' : mount.type
    throw mountError(error, `mounting ${what} on ${JSON.stringify(target)}`)
  }
}

function isReadOnly({ superblock }: MountRequest): boolean {
  return superblock.findLast((word) => word === 'ro' || word === 'rw') === 'ro'
}
