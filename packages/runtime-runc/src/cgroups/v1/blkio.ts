import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import type { CgroupV1Metrics } from '@nsbox/core/tasks'
import { isErrno } from '@nsbox/errors'
import type { CgroupFiles } from '../cgroup-files.ts'

type BlkIO = NonNullable<CgroupV1Metrics['blkio']>
type BlkIOEntry = BlkIO['ioServicedRecursive'][number]

const noEntries: BlkIO = {
  ioServiceBytesRecursive: [],
  ioServicedRecursive: [],
  ioQueuedRecursive: [],
  ioServiceTimeRecursive: [],
  ioWaitTimeRecursive: [],
  ioMergedRecursive: [],
  ioTimeRecursive: [],
  sectorsRecursive: [],
}

const schedulerFiles = (prefix: string): Readonly<Record<keyof BlkIO, string>> => ({
  ioServiceBytesRecursive: `${prefix}io_service_bytes_recursive`,
  ioServicedRecursive: `${prefix}io_serviced_recursive`,
  ioQueuedRecursive: `${prefix}io_queued_recursive`,
  ioServiceTimeRecursive: `${prefix}io_service_time_recursive`,
  ioWaitTimeRecursive: `${prefix}io_wait_time_recursive`,
  ioMergedRecursive: `${prefix}io_merged_recursive`,
  ioTimeRecursive: `${prefix}time_recursive`,
  sectorsRecursive: `${prefix}sectors_recursive`,
})

const throttleFiles = (suffix: string) => ({
  ioServiceBytesRecursive: `blkio.throttle.io_service_bytes${suffix}`,
  ioServicedRecursive: `blkio.throttle.io_serviced${suffix}`,
})

/**
 * Counters of the schedulers CFQ (before Linux 5.0) and BFQ, and of the throttling layer for all others. All count the
 * same, so the first that has any count is taken.
 */
const sources: readonly Readonly<Partial<Record<keyof BlkIO, string>>>[] = [
  schedulerFiles('blkio.'),
  schedulerFiles('blkio.bfq.'),
  throttleFiles('_recursive'),
  throttleFiles(''),
]

export function blkio(files: CgroupFiles): BlkIO {
  for (const source of sources) {
    const parts = Object.entries(source).map(([field, name]) => {
      const text = files.text(name)
      return [field, text === undefined ? [] : parseBlkio(text)] as const
    })
    if (parts.some(([, entries]) => entries.length > 0)) return { ...noEntries, ...Object.fromEntries(parts) }
  }
  return noEntries
}

/** Reads lines such as `254:0 Read 4096` or `254:0 12`; lines of totals are skipped. */
export function parseBlkio(text: string, deviceName = nameOfDevice): BlkIOEntry[] {
  const entries: BlkIOEntry[] = []
  for (const line of text.split('\n')) {
    const match = /^(\d+):(\d+) (?:([A-Za-z]+) )?(\d+)$/.exec(line.trim())
    if (match === null) continue
    const [, major, minor, op = '', value] = match
    entries.push({
      op,
      device: deviceName(`${major}:${minor}`),
      major: BigInt(major!),
      minor: BigInt(minor!),
      value: BigInt(value!),
    })
  }
  return entries
}

/** Such as `/dev/vda`; empty for a device that is gone. */
function nameOfDevice(number: string): string {
  try {
    // The kernel writes a slash in a name as an exclamation mark.
    return `/dev/${basename(readlinkSync(`/sys/dev/block/${number}`)).replaceAll('!', '/')}`
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}
