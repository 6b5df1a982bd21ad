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
  /** Whether the directory goes with the server, and tasks with it. */
  readonly temporary: boolean
  readonly binary?: string | undefined
  readonly shortcuts: boolean
  /** Told of what tasks are given, and of what those of an earlier server have. */
  readonly uses: PathUses
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Takes what has happened to tasks since the last server. */
  readonly onMissed: (namespace: string, event: DomainEvent) => void
  readonly log: Logger
}

/** The runtime of a server, or why it has none. */
export interface OpenRuntime extends AsyncDisposable {
  readonly runtime: Pick<TaskRuntime, 'namespace' | 'info'>
  readonly refusal?: string | undefined
}

/** What this host says where tasks cannot be; all else is wrong with one where they can. */
const refusals: ReadonlySet<string> = new Set(['permission_denied', 'unimplemented'])

/** Opens the runtime, and takes up the tasks of an earlier server. A server does without where the host has no tasks. */
export async function openRuntime(options: OpenRuntimeOptions): Promise<OpenRuntime> {
  const { state, root, temporary, binary, shortcuts, uses, onEvent, onMissed, log } = options
  try {
    if (process.platform !== 'linux') throw new NsboxError('unimplemented', `tasks on ${process.platform}`)
    let recovering = true
    const runtime = await openRuncRuntime({
      directory: join(state, 'tasks'),
      images: join(root, 'checkpoints'),
      binary,
      shortcuts,
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
      runtime: { namespace: refuse, info: refuse },
      refusal: error.message,
      async [Symbol.asyncDispose]() {},
    }
  }
}
