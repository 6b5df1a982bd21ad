import { darwin } from './darwin.ts'
import { freebsd } from './freebsd.ts'
import { linux } from './linux.ts'
import type { SystemCalls } from './system-calls.ts'
import { unsupported } from './unsupported.ts'

const platforms: Readonly<Partial<Record<NodeJS.Platform, SystemCalls>>> = { linux, darwin, freebsd }

/** The system calls of the platform that this process runs on. */
export const systemCalls: SystemCalls = platforms[process.platform] ?? unsupported
