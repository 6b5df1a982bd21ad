import { join } from 'node:path'
import type { DomainEvent, Envelope } from '@nsbox/core/events'
import type { PathUses, TaskRuntime } from '@nsbox/core/tasks'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { openRuncRuntime } from '@nsbox/runtime-runc'
import { findShim, openShimRuntime } from '@nsbox/runtime-shim'
import type { SupervisorStatistics } from '@nsbox/supervisor'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Logger } from 'pino'
import { ttrpcAddress } from '../listen/ttrpc-socket.ts'
import { isRuntimeName } from '../runtime-names.ts'
import type { Tracer } from '../tracing/tracer.ts'
import { runtimesOf } from './runtimes.ts'

/** How to open the runtime of a server. */
export interface OpenRuntimeOptions {
  /** The server's directory of state. */
  readonly state: string
  /** The server's directory of data. */
  readonly root: string
  /** Whether the state directory, and the tasks, end with the server. */
  readonly temporary: boolean
  /** Path of the server's socket, which shims are told. */
  readonly address: string
  readonly binary?: string | undefined
  /** The shim that runs tasks of runc's names, as the name of a runtime or a path; undefined for none. */
  readonly shim?: string | undefined
  /** Whether a namespace may be a tenant's. Tenants have no shims. */
  readonly isSealed: (namespace: string) => boolean
  readonly shortcuts: boolean
  /** Called with what tasks use, also those of an earlier server. */
  readonly uses: PathUses
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Called with events of tasks from before the start. */
  readonly onMissed: (namespace: string, event: DomainEvent) => void
  readonly tracer: Tracer
  readonly log: Logger
}

/** The runtimes of a server, or why it has none. */
export interface OpenRuntime extends AsyncDisposable {
  readonly runtime: Pick<TaskRuntime, 'namespace' | 'info'>
  readonly refusal?: string | undefined
  /** Prepares for a task of a container that was just made, by the name of its runtime. */
  expectTask(namespace: string, runtimeName: string): void
  /** Of the supervisor of tasks of runc; absent where there are no tasks. */
  readonly supervision?: (() => SupervisorStatistics) | undefined
  /** Whether a shim's event should be published: not a task's end that has been published before. */
  isNews(envelope: Envelope): boolean
}

/** Where containerd has its bundles below its state; other programs look for them there. */
const bundlesName = 'io.containerd.runtime.v2.task'

/** Codes of a host without support for tasks. Any other error is a fault. */
const refusals: ReadonlySet<string> = new Set(['permission_denied', 'unimplemented'])

/**
 * Opens the runtimes, and takes over the tasks of an earlier server. On a host without support, every task is refused.
 * @throws `invalid_argument` for both a program and a shim
 */
export async function openRuntime(options: OpenRuntimeOptions): Promise<OpenRuntime> {
  const {
    state,
    root,
    temporary,
    address,
    binary,
    shim,
    shortcuts,
    isSealed,
    uses,
    onEvent,
    onMissed,
    tracer,
    log,
  } = options
  if (binary !== undefined && shim !== undefined) {
    const why = 'a shim takes the program from the options of its containers'
    throw new NsboxError('invalid_argument', `runtime.binary with runtime.shim: ${why}`)
  }
  try {
    if (process.platform !== 'linux') throw new NsboxError('unimplemented', `tasks on ${process.platform}`)
    await using opening = new AsyncDisposableStack()
    let recovering = true
    const shared = {
      uses,
      onEvent: (namespace: string, event: DomainEvent) => (recovering ? onMissed : onEvent)(namespace, event),
      onWarning: (message: string, err?: unknown) => log.warn({ err }, message),
    }
    const images = join(root, 'checkpoints')
    const bundles = join(state, bundlesName)
    const runc = opening.use(
      await openRuncRuntime({
        ...{ directory: join(state, 'tasks'), bundles, images, binary, shortcuts, ...shared },
        shimPath: await shimOfRunc(),
        onLog: (line) => log[levelOf(line)](line),
        onKnownEscapes: (message) => log.warn(message),
      }),
    )
    const shims = opening.use(
      await openShimRuntime({
        directory: bundles,
        images: join(root, 'shim-checkpoints'),
        address,
        ttrpcAddress: ttrpcAddress(address),
        onLog: (line, of) => log[levelOf(line)](of, line),
        ...shared,
      }),
    )
    recovering = false
    if (temporary) opening.defer(async () => void (await Promise.all([runc.endAll(), shims.endAll()])))
    const runcShim = (name: string) => (isSealed(name) ? undefined : shim)
    const owned = opening.move()
    return {
      runtime: {
        ...runtimesOf({ runc, shims, runcShim, tracer }),
        info: (asked) => runc.info(asked),
      },
      expectTask(namespace, name) {
        if (isRuntimeName(name) && runcShim(namespace) === undefined) runc.expectTask()
      },
      supervision: () => runc.supervision(),
      isNews: ({ namespace, event }) =>
        !('opaque' in event) || shims.isNews(namespace, event.topic, event.opaque),
      [Symbol.asyncDispose]: () => owned.disposeAsync() as Promise<void>,
    }
  } catch (error) {
    if (!isNsboxError(error) || !refusals.has(error.code)) throw error
    log.warn({ err: error }, 'there are no tasks on this host')
    const refuse = () => {
      throw error
    }
    return {
      runtime: { namespace: refuse, info: refuse },
      expectTask() {},
      refusal: error.message,
      isNews: () => true,
      async [Symbol.asyncDispose]() {},
    }
  }
}

/** Most lines of a shim contain their levels, and most of these only report its start; others may be of a crash. */
function levelOf(line: string): 'warn' | 'info' | 'debug' {
  const [, level] = /\blevel"?[=:]"?(\w+)/.exec(line) ?? []
  if (level === undefined) return 'info'
  return /^(?:warn|error|fatal|panic)/.test(level) ? 'warn' : 'debug'
}

/** Path of containerd's shim for runc, if this host has one that a server may run. */
async function shimOfRunc(): Promise<string | undefined> {
  try {
    return await findShim('io.containerd.runc.v2', process.env.PATH)
  } catch (error) {
    if (isNsboxError(error)) return undefined
    throw error
  }
}
