import type { MountPlatform } from '../mount-platform.ts'
import { mountOnLinux } from './mount.ts'
import { mountIdOf, whereIs } from './mount-id.ts'
import { mountTable } from './mount-table.ts'
import { unmountOnLinux } from './unmount.ts'

/** Mounts on Linux. */
export const linux: MountPlatform = {
  mount: mountOnLinux,
  unmount: unmountOnLinux,
  mountTable,
  mountIdOf,
  whereIs,
}
