import { closeSync } from 'node:fs'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { setTerminalSize, type TerminalSize } from '@nsbox/sys/descriptors'
import { signalPidfd } from '@nsbox/sys/processes'
import { Timestamp } from '@nsbox/time'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ExitRecord, ProcessIo, ProcessRecord } from '../protocol/process-record.ts'
import type { Ends, Role } from '../protocol/roles.ts'
import type { AbortOptions, ProcessExit, SupervisedProcess } from '../supervisor.ts'
import { recordOf } from './record-of.ts'
import type { SupervisorConnection } from './supervisor-connection.ts'

/** How many supervisors may be lost, one after another, during one call. */
const mostAttempts = 5

/** The part of its owner that a process uses. */
export interface ProcessHandleOwner {
  /** The supervisor that holds it now. Waits while another one takes over. */
  supervisorOf(process: ProcessHandle): Promise<SupervisorConnection>
  /** Forgets the process. Resolves when its supervisor has ended, if that is not needed any more. */
  forget(process: ProcessHandle): Promise<void>
}

/** A process on the client's side: duplicates of the supervisor's descriptors, and the process's state. */
export class ProcessHandle implements SupervisedProcess {
  readonly exit: Promise<ProcessExit>
  readonly drained: Promise<void>
  readonly #owner: ProcessHandleOwner
  readonly #ends: Map<Role, number>
  #record: ProcessRecord
  #released: Promise<void> | undefined
  #tellExit!: (exit: ProcessExit) => void
  #tellDrained!: () => void

  /** Takes over the descriptors. */
  constructor(record: ProcessRecord, ends: Ends, owner: ProcessHandleOwner) {
    this.#record = record
    this.#ends = new Map(ends)
    this.#owner = owner
    this.exit = new Promise((resolve) => {
      this.#tellExit = resolve
    })
    this.drained = new Promise((resolve) => {
      this.#tellDrained = resolve
    })
    this.#tell()
  }

  get key(): string {
    return this.#record.key
  }

  get pid(): number {
    return this.#record.pid
  }

  get io(): ProcessIo {
    return this.#record.io
  }

  get ended(): ProcessExit | undefined {
    const { exit } = this.#record
    return exit && { exitStatus: exit.exitStatus, exitedAt: Timestamp.fromEpochMilliseconds(exit.exitedAt) }
  }

  /** For another supervisor. */
  get record(): ProcessRecord {
    return this.#record
  }

  /** For another supervisor, which gets duplicates. */
  get ends(): Ends {
    return this.#ends
  }

  signal(signal: number): void {
    const pidfd = this.#ends.get('pidfd')
    if (this.ended === undefined && pidfd !== undefined && signalPidfd(pidfd, signal)) return
    throw new NsboxError('not_found', `process ${this.pid} of ${this.key}`)
  }

  resize(size: TerminalSize): void {
    const terminal = this.#ends.get('terminal')
    if (!this.io.terminal) throw new NsboxError('failed_precondition', `${this.key} has no terminal`)
    if (terminal === undefined) throw new NsboxError('not_found', `terminal of ${this.key}`)
    setTerminalSize(terminal, size)
  }

  async keepStdin({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#record.stdinEnded || this.#released !== undefined) return
    await this.#ask('keepStdin', (answer, ends) => this.retold(recordOf(answer, this.key), ends.takeAll()))
  }

  async closeStdin({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#record.stdinEnded || this.#released !== undefined) return
    await this.#ask('closeStdin')
  }

  release({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#released ??= this.#release()
    return this.#released
  }

  /** Called when a supervisor reports its end; only the first call counts. */
  exited(exit: ExitRecord): void {
    if (this.#record.exit === undefined) this.#update({ exit })
  }

  /** Called when a supervisor has closed descriptors: closes their duplicates. */
  closed(roles: readonly string[], drained: boolean): void {
    for (const [role, fd] of this.#ends) {
      if (!roles.includes(role)) continue
      this.#ends.delete(role)
      closeSync(fd)
    }
    if (roles.includes('stdin-source')) this.#update({ stdinEnded: true })
    if (drained) this.#update({ drained })
  }

  /** Called when a supervisor reports it again, with new duplicates of the descriptors. */
  retold(record: ProcessRecord, ends: Ends): void {
    this.abandon()
    for (const [role, fd] of ends) this.#ends.set(role, fd)
    this.#update(record)
  }

  /** Closes all descriptors, and leaves the process to its supervisor. */
  abandon(): void {
    for (const fd of this.#ends.values()) closeSync(fd)
    this.#ends.clear()
  }

  #update(change: Partial<ProcessRecord>): void {
    this.#record = { ...this.#record, ...change }
    this.#tell()
  }

  #tell(): void {
    const { ended } = this
    if (ended !== undefined) this.#tellExit(ended)
    if (this.#record.drained) this.#tellDrained()
  }

  async #release(): Promise<void> {
    try {
      await this.#ask('release')
    } finally {
      this.abandon()
      this.#tellDrained()
      await this.#owner.forget(this)
    }
  }

  /**
   * Sends a request to the supervisor that holds the process. For a process that it has forgotten nothing is left to
   * do.
   */
  async #ask(
    method: 'keepStdin' | 'closeStdin' | 'release',
    accept?: (answer: object, ends: OwnedEnds) => void,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const link = await this.#owner.supervisorOf(this)
      try {
        await link.request(method, { key: this.key }, { accept })
        return
      } catch (error) {
        if (isNsboxError(error) && error.code === 'not_found') return
        if (!isNsboxError(error) || error.code !== 'unavailable' || attempt === mostAttempts) throw error
      }
    }
  }
}
