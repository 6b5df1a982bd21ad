import { darwin } from './darwin.ts'
import { freebsd } from './freebsd.ts'
import { linux } from './linux/linux.ts'
import type { MountPlatform } from './mount-platform.ts'
import { unsupported } from './unsupported.ts'

const platforms: Readonly<Partial<Record<NodeJS.Platform, MountPlatform>>> = { linux, darwin, freebsd }

/** The mounts of the platform that this process runs on. */
export const platform: MountPlatform = platforms[process.platform] ?? unsupported(process.platform)
