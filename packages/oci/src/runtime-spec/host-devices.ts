import type { Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, isErrno, NsboxError, quoted } from '@nsbox/errors'
import type { Device } from './linux.ts'

// Paths where a container has its own devices, and those of the host's udev and of other container managers.
const skipped = new Set([
  '/dev/pts',
  '/dev/shm',
  '/dev/fd',
  '/dev/mqueue',
  '/dev/console',
  '/dev/.lxc',
  '/dev/.lxd-mounts',
  '/dev/.udev',
])

const maxDevices = 10_000

/**
 * A device of the host's, or all character and block devices below a directory, by name; without those that every
 * container has of its own. Symbolic links below a directory are left out.
 *
 * @throws `invalid_argument` if the path is neither a device nor a directory; `not_found`; `resource_exhausted` beyond
 * 10 000 devices
 */
export async function hostDevices(
  path: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Device[]> {
  signal?.throwIfAborted()
  const stats = await stat(path).catch((error) => {
    throw fromSystemError(error, `device ${quoted(path)}`)
  })
  const single = deviceAt(path, stats)
  if (single) return [single]
  if (!stats.isDirectory())
    throw new NsboxError('invalid_argument', `device ${quoted(path)}: neither a device nor a directory`)
  const devices: Device[] = []
  await collect(path, devices, signal)
  return devices
}

async function collect(directory: string, devices: Device[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name)
    if (skipped.has(path)) continue
    let stats: Stats
    try {
      stats = await lstat(path)
    } catch (error) {
      // The device was unplugged meanwhile.
      if (isErrno(error, 'ENOENT')) continue
      throw fromSystemError(error, `device ${quoted(path)}`)
    }
    if (stats.isDirectory()) await collect(path, devices, signal)
    const device = deviceAt(path, stats)
    if (device) devices.push(device)
    if (devices.length > maxDevices)
      throw new NsboxError('resource_exhausted', `more than ${maxDevices} devices below ${quoted(directory)}`)
  }
}

function deviceAt(path: string, stats: Stats): Device | undefined {
  const type = stats.isCharacterDevice() ? 'c' : stats.isBlockDevice() ? 'b' : undefined
  if (type === undefined) return undefined
  const { rdev, mode, uid, gid } = stats
  return { path, type, ...deviceNumber(rdev), fileMode: mode & 0o7777, uid, gid }
}

/** The two numbers in a `dev_t` of Linux (makedev(3)), which may have more than 32 bits. */
function deviceNumber(rdev: number): { major: number; minor: number } {
  const high = Math.floor(rdev / 2 ** 32)
  const low = rdev % 2 ** 32
  return {
    major: ((low >>> 8) & 0xfff) + (high & 0xfffff000),
    minor: (low & 0xff) + ((low >>> 12) & 0xfff00),
  }
}
