import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '@nsbox/errors'
import * as v from 'valibot'
import { files } from '../protocol/directory-layout.ts'
import { processRecord } from '../protocol/process-record.ts'
import { checked } from '../protocol/schema.ts'
import { findProcess } from './find-process.ts'

/** The supervisor of a directory, with an open pidfd that the caller closes; undefined if none runs. */
export function findSupervisor(
  directory: string,
): { readonly pid: number; readonly pidfd: number } | undefined {
  let text: string
  try {
    text = readFileSync(join(directory, files.process), 'utf8')
  } catch (error) {
    // It died before it was ready.
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw error
  }
  const self = readSelf(text)
  const pidfd = self && findProcess(self)
  return self === undefined || pidfd === undefined ? undefined : { pid: self.pid, pidfd }
}

/** Pids of the supervisors that run in the directory of `openSupervisor`. */
export function runningSupervisors(directory: string): number[] {
  return namesIn(directory).flatMap((name) => {
    const found = findSupervisor(join(directory, name))
    if (found === undefined) return []
    closeSync(found.pidfd)
    return [found.pid]
  })
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
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
