import type { TaskHandle } from '@nsbox/client'
import { NsboxError, quoted } from '@nsbox/errors'
import { openLogOf } from '@nsbox/supervisor/logs'
import { printableOutput } from '../printable-output.ts'
import type { Session } from '../session.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { writeOutput } from '../write-output.ts'

/** What `logs` may be told. */
export interface LogsFlags {
  readonly follow?: boolean
  readonly tail?: number
}

/**
 * `logs`: the bytes as they are, but for what a terminal would obey where the standard output is one
 * (docs/threat-model.md E13).
 */
export async function showLogs(
  { client, isOnHost, signal }: Session,
  { follow = false, tail }: LogsFlags,
  id: string,
): Promise<void> {
  // Asked for first, so that the error for a missing container names the container, not its task.
  await client.containers.get(id, { signal })
  await using task = await client.container(id).task({ signal })
  const { stdout } = await task.status({ signal })
  if (!isOnHost)
    throw new NsboxError(
      'failed_precondition',
      `log of container ${quoted(id)}: it is a file on the host of the server; ask there`,
    )
  await using log = await openLogOf(stdout, id)
  const end = follow ? endOf(task) : undefined
  const last = tail === undefined ? undefined : { lines: tail }
  const bytes = log.read({ last, writing: end?.signal, signal })
  await untilInterrupted(signal, async () => {
    await writeOutput(process.stdout.isTTY ? printableOutput(bytes) : bytes)
    signal.throwIfAborted()
    await end?.known
  })
}

/** The end of a task, as a signal; `known` rejects if it cannot be known any more. */
function endOf(task: TaskHandle): { readonly signal: AbortSignal; readonly known: Promise<unknown> } {
  const ended = new AbortController()
  const abort = () => ended.abort()
  task.exit.then(abort, abort)
  return { signal: ended.signal, known: task.exit }
}
