import { randomBytes } from 'node:crypto'
import { isNotFound } from '@nsbox/errors'
import { launchPaths } from '../protocol/directory-layout.ts'
import type { ProcessRecord } from '../protocol/process-record.ts'
import type { Ends } from '../protocol/roles.ts'
import type { LaunchRequest } from '../supervisor.ts'
import type { ProcessHandle } from './process-handle.ts'
import { recordOf } from './record-of.ts'
import type { SupervisorConnection } from './supervisor-connection.ts'

const launchTimeout = 120_000
/** Milliseconds that a launch may take beyond its own timeout: readers and loggers have ten seconds each. */
const launchSlack = 30_000

/** Options of a request for a launch. */
export interface RequestLaunchOptions {
  readonly signal: AbortSignal | undefined
  /** Takes the process that was made, before any later message about it. */
  readonly accept: (record: ProcessRecord, ends: Ends) => ProcessHandle
}

/** Makes a supervisor launch a process. @throws as `Supervisor.launch` */
export async function requestLaunch(
  link: SupervisorConnection,
  request: LaunchRequest,
  { signal, accept }: RequestLaunchOptions,
): Promise<ProcessHandle> {
  const { key, command, timeout = launchTimeout, env = {}, logEnv = {}, owner } = request
  const { fromMemory = false, waits = false, cwd = '/', pidFile, endsWithClient } = request
  const { stdin = '', stdout = '', stderr = '', terminal = false } = request
  const io = { stdin, stdout, stderr, terminal }
  // Random, since launches of an earlier client may be under way; and short, for the path of a socket.
  const makes = typeof command === 'function' ? randomBytes(4).toString('base64url') : undefined
  const paths = () => launchPaths(link.directory, { name: makes!, terminal, pidFile })
  const program = typeof command === 'function' ? command(paths()) : command
  const made = { key, command: program, makes, pidFile, cwd, fromMemory, env }
  const fields = { ...made, io, owner, logEnv, waits, endsWithClient, timeout }
  const cancel = () => {
    link.request('cancel', { key }).catch(() => {
      // The supervisor is lost, and the launch with it.
    })
  }
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    const process = await link.request('launch', fields, {
      timeout: timeout + launchSlack,
      accept: (answer, ends) => accept(recordOf(answer, key), ends.takeAll()),
    })
    if (signal?.aborted !== true) return process
    await endAndRelease(process)
    throw signal.reason
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

/** Ends a process whose launch was cancelled too late. */
async function endAndRelease(process: ProcessHandle): Promise<void> {
  try {
    process.signal(9)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  await process.release()
}
