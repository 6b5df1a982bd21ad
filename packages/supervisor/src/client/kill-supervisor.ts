import { closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isReady } from '@nsbox/sys/descriptors'
import { signalPidfd } from '@nsbox/sys/processes'
import { findSupervisor } from './find-supervisor.ts'

/**
 * Kills the supervisor of a directory that does not answer, if it runs, and waits for its end: two supervisors must not
 * relay for one process.
 */
export async function killSupervisor(directory: string): Promise<void> {
  const pidfd = findSupervisor(directory)?.pidfd
  if (pidfd === undefined) return
  try {
    signalPidfd(pidfd, 9)
    for (let tries = 0; !isReady(pidfd, 'read') && tries < 500; tries++) await delay(10)
  } finally {
    closeSync(pidfd)
  }
}
