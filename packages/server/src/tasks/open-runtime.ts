import { join } from 'node:path'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses, TaskRuntime } from '@nsbox/core/tasks'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { openRuncRuntime } from '@nsbox/runtime-runc'
import type { Logger } from 'pino'

/** How to open the runtime of a server. */
export interface OpenRuntimeOptions {
  /** The server's directory of state. */
  readonly state: string
  /** The server's directory of data. */
  readonly root: string
  /** Whether the state directory, and the tasks, end with the server. */
  readonly temporary: boolean
  readonly binary?: string | undefined
  /** Called with what tasks use, also those of an earlier server. */
  readonly uses: PathUses
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Called with events of tasks from before the start. */
  readonly onMissed: (namespace: string, event: DomainEvent) => void
  readonly log: Logger
}

/** The runtime of a server, or why it has none. */
export interface OpenRuntime extends AsyncDisposable {
  readonly runtime: Pick<TaskRuntime, 'namespace' | 'expectTask' | 'info'>
  readonly refusal?: string | undefined
}

/** Codes of a host without support for tasks. Any other error is a fault. */
const refusals: ReadonlySet<string> = new Set(['permission_denied', 'unimplemented'])

/**
 * Opens the runtime, and takes over the tasks of an earlier server. On a host without support, every task is refused.
 */
export async function openRuntime(options: OpenRuntimeOptions): Promise<OpenRuntime> {
  const { state, root, temporary, binary, uses, onEvent, onMissed, log } = options
  try {
    if (process.platform !== 'linux') throw new NsboxError('unimplemented', `tasks on ${process.platform}`)
    let recovering = true
    const runtime = await openRuncRuntime({
      directory: join(state, 'tasks'),
      images: join(root, 'checkpoints'),
      binary,
      uses,
      onEvent: (namespace, event) => (recovering ? onMissed : onEvent)(namespace, event),
      onWarning: (message, err) => log.warn({ err }, message),
    })
    recovering = false
    return {
      runtime,
      async [Symbol.asyncDispose]() {
        await using _runtime = runtime
        if (temporary) await runtime.endAll()
      },
    }
  } catch (error) {
    if (!isNsboxError(error) || !refusals.has(error.code)) throw error
    log.warn({ err: error }, 'there are no tasks on this host')
    const refuse = () => {
      throw error
    }
    return {
      runtime: { namespace: refuse, expectTask() {}, info: refuse },
      refusal: error.message,
      async [Symbol.asyncDispose]() {},
    }
  }
}
