import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isNotFound } from '@nsbox/errors'
import { type ProcessRecord, readProcessRecord } from '../protocol/process-record.ts'
import type { Ends } from '../protocol/roles.ts'
import { files } from '../protocol/version.ts'
import type { LaunchRequest } from '../supervisor.ts'
import type { DaemonProcess } from './daemon-process.ts'
import type { SupervisorLink } from './supervisor-link.ts'

const launchTimeout = 120_000
/** Milliseconds beyond its own time that a launch may need: readers and loggers have ten seconds each. */
const launchSlack = 30_000

/** What goes along with a launch. */
export interface LaunchOnOptions {
  readonly signal: AbortSignal | undefined
  /** Takes the process that was made, before anything else is told of it. */
  readonly accept: (record: ProcessRecord, ends: Ends) => DaemonProcess
}

/** Has a supervisor launch a process. @throws as `Supervisor.launch` */
export async function launchOn(
  link: SupervisorLink,
  request: LaunchRequest,
  { signal, accept }: LaunchOnOptions,
): Promise<DaemonProcess> {
  const { key, timeout = launchTimeout, env = {}, owner, container = { id: '', namespace: '' } } = request
  const { stdin, stdout, stderr, terminal, fromMemory = false, waits = false } = request
  // Not a number that an earlier daemon may have used, whose launches may be under way; and short, for a socket.
  const base = join(link.directory, files.launches, randomBytes(4).toString('base64url'))
  const paths = { pidFile: `${base}.pid`, consoleSocket: terminal ? `${base}.tty` : undefined }
  const io = { stdin, stdout, stderr, terminal }
  const launched = { key, command: request.command(paths), ...paths, fromMemory, io, env, owner, container }
  const fields = { ...launched, waits, timeout }
  const cancel = () => {
    link.request('cancel', { key }, { accept: () => undefined }).catch(() => {
      // It is lost, and the launch with it.
    })
  }
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    const process = await link.request('launch', fields, {
      timeout: timeout + launchSlack,
      accept: (answer, ends) => {
        const record = readProcessRecord(answer.object('record'), key)
        return accept(record, ends.takeAll())
      },
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

/** The process was made in the moment in which nobody wanted it any more. */
async function endAndRelease(process: DaemonProcess): Promise<void> {
  try {
    process.signal(9)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  await process.release()
}
