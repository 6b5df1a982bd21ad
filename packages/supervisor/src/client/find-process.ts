import { closeSync } from 'node:fs'
import { isNsboxError } from '@nsbox/errors'
import { openPidfd, processStat } from '@nsbox/sys/processes'

/**
 * Opens a recorded process, unless its pid has been reused since.
 * @returns undefined if it has ended and been waited for
 */
export function findProcess({
  pid,
  startTime,
}: {
  readonly pid: number
  readonly startTime: string
}): number | undefined {
  let pidfd: number
  try {
    pidfd = openPidfd(pid)
  } catch (error) {
    if (isNsboxError(error) && error.details.errno === 'ESRCH') return undefined
    throw error
  }
  // Read while the pidfd is open: a matching start time is that of its process.
  if (processStat(pid)?.startTime === startTime) return pidfd
  closeSync(pidfd)
  return undefined
}
