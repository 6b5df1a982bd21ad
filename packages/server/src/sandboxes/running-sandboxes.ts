import { join } from 'node:path'
import { abortable, type Deferred, deferred, KeyedMutex } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import type { DomainEvent } from '@nsbox/core/events'
import type { Sandbox, SandboxStore } from '@nsbox/core/sandboxes'
import { NsboxError, quoted } from '@nsbox/errors'
import { validateIdentifier } from '@nsbox/namespaces'
import { systemClock, Timestamp } from '@nsbox/time'
import { type SandboxRecord, SandboxRecords } from './sandbox-records.ts'

/** The parts of a server's sandboxes. */
export interface RunningSandboxesParts {
  /** Directory of their records; need not exist. */
  readonly directory: string
  /** Whether sandboxes of this runtime can be run. */
  readonly isKnownRuntime: (name: string) => boolean
  readonly onEvent: (namespace: string, event: DomainEvent) => void
}

/** The state of a sandbox. */
export interface SandboxStatus extends SandboxRecord {
  readonly id: string
  /** `SANDBOX_READY` from its start to its stop, `SANDBOX_NOTREADY` otherwise. */
  readonly state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY'
}

/** The end of a sandbox. */
export interface SandboxExit {
  readonly exitStatus: number
  /** In microseconds since 1970. */
  readonly exitedAt: number
}

/** The sandboxes of one namespace that have been created. */
export interface NamespacedSandboxes {
  /**
   * Creates a sandbox of the store.
   * @throws `not_found` if the store has none, `already_exists` if it was created already; `invalid_argument` if it has
   * no runtime, `unimplemented` for a runtime without sandboxes
   */
  create(id: string, options?: AbortOptions): Promise<void>
  /** Starts it; idempotent. @throws `not_found`, `failed_precondition` if it was stopped */
  start(id: string, options?: AbortOptions): Promise<SandboxStatus>
  /** @throws `not_found` */
  status(id: string, options?: AbortOptions): Promise<SandboxStatus>
  /** Stops it; idempotent. @throws `not_found` */
  stop(id: string, options?: AbortOptions): Promise<void>
  /** Waits until it is stopped. @throws `not_found` */
  wait(id: string, options?: AbortOptions): Promise<SandboxExit>
  /** Stops it if it runs, and forgets it. @throws `not_found` */
  shutdown(id: string, options?: AbortOptions): Promise<void>
}

/**
 * Sandboxes without processes, like those of containerd's runc shim (docs/behaviour.md §18): only a record is created,
 * started and stopped, which tasks of containers in the sandbox need. They outlive the server, and end with the state
 * directory.
 */
export class RunningSandboxes {
  readonly #parts: RunningSandboxesParts
  /** One change of a sandbox at a time. */
  readonly #turns = new KeyedMutex()
  /** Resolved when a sandbox is stopped. */
  readonly #stopped = new Map<string, Deferred<SandboxExit>>()

  constructor(parts: RunningSandboxesParts) {
    this.#parts = parts
  }

  /** @param store of the same namespace */
  namespace(namespace: string, store: Pick<SandboxStore, 'get'>): NamespacedSandboxes {
    const { directory, onEvent } = this.#parts
    const records = new SandboxRecords(join(directory, namespace))
    const inTurn = async <T>(id: string, { signal }: AbortOptions, body: () => Promise<T>): Promise<T> =>
      await this.#turns.run(`${namespace}/${id}`, body, { signal })
    const stop = async (id: string, record: SandboxRecord): Promise<SandboxRecord> => {
      if (record.exitedAt !== undefined) return record
      const exitedAt = now(record.startedAt ?? record.createdAt)
      const stopped = { ...record, exitedAt }
      await records.put(id, stopped)
      const exit = { exitStatus: 0, exitedAt }
      onEvent(namespace, {
        topic: '/sandboxes/exit',
        payload: { sandboxId: id, exitStatus: 0, exitedAt: Timestamp.fromEpochMicroseconds(exitedAt) },
      })
      this.#stopped.get(`${namespace}/${id}`)?.resolve(exit)
      this.#stopped.delete(`${namespace}/${id}`)
      return stopped
    }

    return {
      create: async (id, options = {}) => {
        const sandbox = await store.get(id, options)
        await inTurn(id, options, async () => {
          if ((await records.get(id)) !== undefined)
            throw new NsboxError('already_exists', `sandbox ${quoted(id)} is there`)
          this.#admit(sandbox)
          await records.put(id, { createdAt: now() })
          onEvent(namespace, { topic: '/sandboxes/create', payload: { sandboxId: id } })
        })
      },

      start: async (id, options = {}) =>
        await inTurn(id, options, async () => {
          const record = await found(records, id)
          if (record.exitedAt !== undefined)
            throw new NsboxError('failed_precondition', `sandbox ${quoted(id)} was stopped`)
          if (record.startedAt !== undefined) return statusOf(id, record)
          const started = { ...record, startedAt: now(record.createdAt) }
          await records.put(id, started)
          onEvent(namespace, { topic: '/sandboxes/start', payload: { sandboxId: id } })
          return statusOf(id, started)
        }),

      status: async (id) => statusOf(id, await found(records, id)),

      stop: async (id, options = {}) => {
        await inTurn(id, options, async () => await stop(id, await found(records, id)))
      },

      wait: async (id, options = {}) => {
        const waiting = await inTurn(id, options, async () => {
          const { exitedAt } = await found(records, id)
          if (exitedAt !== undefined) return { exit: { exitStatus: 0, exitedAt } }
          const key = `${namespace}/${id}`
          const stopped = this.#stopped.get(key) ?? deferred<SandboxExit>()
          this.#stopped.set(key, stopped)
          return { stopped: stopped.promise }
        })
        return waiting.exit ?? (await abortable(waiting.stopped, options))
      },

      shutdown: async (id, options = {}) => {
        await inTurn(id, options, async () => {
          await stop(id, await found(records, id))
          await records.remove(id)
        })
      },
    }
  }

  #admit({ id, runtime }: Sandbox): void {
    if (runtime.name === '')
      throw new NsboxError('invalid_argument', `sandbox ${quoted(id)}: no runtime name`)
    if (!this.#parts.isKnownRuntime(runtime.name))
      throw new NsboxError('unimplemented', `sandboxes of runtime ${quoted(runtime.name)}`)
  }
}

async function found(records: SandboxRecords, id: string): Promise<SandboxRecord> {
  try {
    validateIdentifier(id)
  } catch (cause) {
    throw new NsboxError('not_found', `sandbox ${quoted(id)}`, { cause })
  }
  const record = await records.get(id)
  if (record === undefined) throw new NsboxError('not_found', `sandbox ${quoted(id)}`)
  return record
}

/** Microseconds since 1970, and later than another time. */
function now(after = 0): number {
  return systemClock.stamp(Timestamp.fromEpochMicroseconds(after)).epochMicroseconds
}

function statusOf(id: string, record: SandboxRecord): SandboxStatus {
  const isReady = record.startedAt !== undefined && record.exitedAt === undefined
  return { id, ...record, state: isReady ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY' }
}
