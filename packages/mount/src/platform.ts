import { mountOnLinux } from './linux/mount.ts'
import { isUncovered, mountIdOf, whereIs } from './linux/mount-id.ts'
import { mountTable } from './linux/mount-table.ts'
import { unmountOnLinux } from './linux/unmount.ts'
import type { MountPlatform } from './mount-platform.ts'
import { unsupported } from './unsupported.ts'

const linux = { mount: mountOnLinux, unmount: unmountOnLinux, mountTable, mountIdOf, whereIs, isUncovered }
/** macOS has neither bind mounts nor overlays. */
export const darwin: MountPlatform = unsupported('macOS')
/** FreeBSD has nullfs and unionfs, whose options differ from those of snapshotters' mounts. */
export const freebsd: MountPlatform = unsupported('FreeBSD')
const platforms: Readonly<Partial<Record<NodeJS.Platform, MountPlatform>>> = { linux, darwin, freebsd }

/** The mounts of the platform that this process runs on. */
export const platform: MountPlatform = platforms[process.platform] ?? unsupported(process.platform)
