import { wallTime } from '@nsbox/time'
import type { ProcessRecord } from '../protocol/process-record.ts'
import type { Ends } from '../protocol/roles.ts'
import { findProcess } from './find-process.ts'

/** The status of a process whose end nobody observed. */
const unknownStatus = 255

/** What is left of a process that no supervisor holds. */
export interface OrphanedProcess {
  readonly record: ProcessRecord
  readonly ends: Ends
}

/**
 * The rest of a process whose supervisor ended while no client held its descriptors. It may still run, or have ended
 * with or without a record of its exit. Its input and output are lost.
 */
export function orphanedProcess(record: ProcessRecord): OrphanedProcess {
  const left = { ...record, stdinEnded: true, drained: true }
  if (record.exit !== undefined) return { record: left, ends: new Map() }
  const pidfd = findProcess(record)
  if (pidfd !== undefined) return { record: left, ends: new Map([['pidfd', pidfd]]) }
  const exit = { exitStatus: unknownStatus, exitedAt: wallTime(), unknown: true as const }
  return { record: { ...left, exit }, ends: new Map() }
}
