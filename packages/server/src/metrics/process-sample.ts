import { readdir, readFile } from 'node:fs/promises'
import { isErrno } from '@nsbox/errors'

/** Numbers of this process. Those of descriptors are there on Linux only. */
export interface ProcessSample {
  readonly cpuUser: number
  readonly cpuSystem: number
  /** Seconds since 1970. */
  readonly started: number
  readonly memory: NodeJS.MemoryUsage
  readonly openDescriptors?: number | undefined
  readonly maxDescriptors?: number | undefined
}

/** Seconds since 1970 at which the process was started. */
const started = Date.now() / 1000 - process.uptime()

/** Looks at this process. */
export async function sampleProcess(): Promise<ProcessSample> {
  const { user, system } = process.cpuUsage()
  const [descriptors, limits] = await Promise.all([
    ifThere(readdir('/proc/self/fd')),
    ifThere(readFile('/proc/self/limits', 'utf8')),
  ])
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1])
  return {
    cpuUser: user / 1e6,
    cpuSystem: system / 1e6,
    started,
    memory: process.memoryUsage(),
    // One of them is that of the directory itself.
    openDescriptors: descriptors && descriptors.length - 1,
    maxDescriptors: Number.isNaN(limit) ? undefined : limit,
  }
}

async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
