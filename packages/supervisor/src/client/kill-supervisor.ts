import { closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isErrno } from '@nsbox/errors'
import { isReady } from '@nsbox/sys/descriptors'
import { signalPidfd } from '@nsbox/sys/processes'
import * as v from 'valibot'
import { files } from '../protocol/directory-layout.ts'
import { processRecord } from '../protocol/process-record.ts'
import { checked } from '../protocol/schema.ts'
import { findProcess } from './find-process.ts'

/**
 * Kills the supervisor of a directory that does not answer, if it runs, and waits for its end: two supervisors must not
 * relay for one process.
 */
export async function killSupervisor(directory: string): Promise<void> {
  let text: string
  try {
    text = readFileSync(join(directory, files.process), 'utf8')
  } catch (error) {
    // It died before it was ready.
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return
    throw error
  }
  const self = readSelf(text)
  const pidfd = self && findProcess(self)
  if (pidfd === undefined) return
  try {
    signalPidfd(pidfd, 9)
    for (let tries = 0; !isReady(pidfd, 'read') && tries < 500; tries++) await delay(10)
  } finally {
    closeSync(pidfd)
  }
}

const self = v.pick(processRecord, ['pid', 'startTime'])

/** Undefined for an incomplete file: a supervisor completes it before it begins its work. */
function readSelf(text: string): { readonly pid: number; readonly startTime: string } | undefined {
  try {
    return checked(self, JSON.parse(text))
  } catch {
    return undefined
  }
}
