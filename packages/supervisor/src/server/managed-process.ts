import { constants, fstatSync, openSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'
import { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ExitRecord, ProcessRecord } from '../protocol/process-record.ts'
import { type Ends, type Role, roles } from '../protocol/roles.ts'
import { FileRelay } from './file-relay.ts'
import { endLogger } from './logger.ts'
import { keepInput } from './open-stdio.ts'
import type { RecordFiles } from './record-files.ts'
import { PipeRelay, type Relay, type RelayEnd, type RelayOptions } from './relay.ts'
import type { Watcher } from './watcher.ts'

/** Milliseconds for the output after the end of its process. */
const drainTimeout = 2_000

const inputRoles = ['stdin', 'stdin-source', 'stdin-keep'] as const
const allButProcess = roles.filter((role) => role !== 'pidfd')
const outputs = [
  { from: 'stdout', to: 'stdout-sink' },
  { from: 'stderr', to: 'stderr-sink' },
  { from: 'terminal', to: 'stdout-sink' },
] as const

/** The parts of the supervisor that a managed process uses. */
export interface ManagedProcessOptions {
  readonly watcher: Watcher
  readonly records: RecordFiles
  /** Sends the client a notice of a process, which it names by `key`. */
  readonly notify: (notice: Readonly<Record<string, unknown>>) => void
}

/** A process of the supervisor: its descriptors, the relays between them, and its record. */
export class ManagedProcess {
  readonly #ends: OwnedEnds
  readonly #options: ManagedProcessOptions
  readonly #outputs = new Map<Role, Relay>()
  readonly #discarded = new Set<Role>()
  #input: Relay | undefined
  #inputIsClosed = false
  #record: ProcessRecord
  #drainTimer: NodeJS.Timeout | undefined
  #draining = false
  #released = false
  #isWritten = true

  /**
   * Takes over the descriptors, even if it throws, and begins to relay. The record is on disk afterwards; after an
   * error nothing is left.
   */
  constructor(record: ProcessRecord, ends: OwnedEnds, options: ManagedProcessOptions) {
    this.#record = record
    this.#ends = new OwnedEnds(ends.takeAll())
    this.#options = options
    try {
      options.records.write(record)
      this.#relayInput()
      for (const { from, to } of outputs) this.#relayOutput(from, this.#ends.get(to))
      this.#watchLogger()
      if (record.exit !== undefined && !record.drained) this.#drain()
    } catch (error) {
      void this.release()
      throw error
    }
  }

  get record(): ProcessRecord {
    return this.#record
  }

  /** Whether it has ended, its output has been passed on, and its record is on disk, or its directory gone. */
  get over(): boolean {
    return this.#record.exit !== undefined && this.#record.drained && this.#isWritten
  }

  get ends(): Ends {
    return this.#ends.all
  }

  /**
   * Called when the process has ended: passes on its last output, records the exit on disk, if there is room, then
   * reports it and drains the output. Clients that know of the exit may close their ends before they have read all.
   */
  ended(exit: ExitRecord): void {
    if (this.#record.exit !== undefined || this.#released) return
    this.#pumpOutputs()
    this.#update({ exit })
    this.#options.notify({ notice: 'exit', key: this.#record.key, exit })
    this.#drain()
  }

  /** From now on the input does not end when a writer leaves, unless one has left before. */
  keepStdin(): void {
    this.#input?.pump()
    if (!this.#record.stdinEnded && !this.#inputIsClosed) keepInput(this.#ends)
  }

  /** From now on the input ends with the last writer; at once if there is none. */
  closeStdin(): void {
    if (this.#record.stdinEnded || this.#inputIsClosed) return
    this.#inputIsClosed = true
    // A FIFO without a first writer ends only after a writer has come and left.
    keepInput(this.#ends)
    void this.#drop(['stdin-keep'], false)
    this.#input?.pump()
  }

  /** Closes everything. */
  async release(): Promise<void> {
    this.#released = true
    clearTimeout(this.#drainTimer)
    await this.#letGo()
    this.#giveUpLogger()
    for (const role of this.#ends.all.keys()) this.#close(role)
    this.#options.records.remove(this.#record.key)
  }

  #relayInput(): void {
    const from = this.#ends.get('stdin-source')
    const to = this.#ends.get('stdin') ?? this.#ends.get('terminal')
    if (from === undefined || to === undefined) return
    this.#input = new PipeRelay({
      watcher: this.#options.watcher,
      from,
      to,
      onEnd: () => this.#endInput(),
    })
    this.#input.pump()
  }

  #endInput(): void {
    if (this.#record.stdinEnded) return
    this.#update({ stdinEnded: true })
    void this.#drop(inputRoles, false)
  }

  #relayOutput(role: Role, to: number | undefined): void {
    const from = this.#ends.get(role)
    if (from === undefined || to === undefined) return
    const options: RelayOptions = {
      watcher: this.#options.watcher,
      from,
      to,
      onEnd: (why) => this.#outputEnded(role, why),
    }
    const relay = fstatSync(to).isFile() ? new FileRelay(options) : new PipeRelay(options)
    // Added first: the relay may end within the call.
    this.#outputs.set(role, relay)
    relay.pump()
  }

  #outputEnded(role: Role, why: RelayEnd): void {
    this.#outputs.delete(role)
    if (why === 'closed') this.#discard(role)
    if (this.#draining && this.#outputs.size === 0) this.#drained()
  }

  /** Discards an output without a reader: the process must neither block nor end for it. */
  #discard(role: Role): void {
    if (this.#discarded.has(role)) return
    this.#discarded.add(role)
    const sink = openSync('/dev/null', constants.O_WRONLY)
    const target = role === 'stderr' ? 'stderr-sink' : 'stdout-sink'
    this.#close(target)
    this.#ends.add(target, sink)
    this.#relayOutput(role, sink)
  }

  #watchLogger(): void {
    const logger = this.#ends.get('logger')
    if (logger === undefined) return
    this.#options.watcher.onceEnded(logger, () => {
      if (this.#draining) {
        this.#drained()
        return
      }
      this.#giveUpLogger()

      for (const role of ['stdout', 'stderr'] as const)
        if (this.#ends.get(role) !== undefined) this.#discard(role)
    })
  }

  #drain(): void {
    this.#draining = true
    this.#endInput()
    this.#pumpOutputs()
    if (!this.#draining) return
    if (this.#outputs.size === 0 && this.#ends.get('logger') === undefined) this.#drained()
    else this.#drainTimer = setTimeout(() => this.#drained(), drainTimeout)
  }

  #pumpOutputs(): void {
    for (const relay of this.#outputs.values()) relay.pump()
  }

  #drained(): void {
    if (!this.#draining) return
    this.#draining = false
    clearTimeout(this.#drainTimer)
    this.#giveUpLogger()
    void this.#drop(allButProcess, true)
  }

  #giveUpLogger(): void {
    const logger = this.#ends.take('logger')
    if (logger !== undefined) endLogger(this.#options.watcher, logger)
  }

  /** Closes descriptors, here and in the client. */
  async #drop(dropped: readonly Role[], drained: boolean): Promise<void> {
    if (dropped.includes('stdin-source')) this.#input?.stop()
    if (drained) {
      const waits = this.#letGo()
      if (waits !== undefined) await waits
    }
    if (this.#released) return
    for (const role of dropped) this.#close(role)
    if (drained) this.#update({ drained, stdinEnded: true })
    this.#options.notify({ notice: 'closed', key: this.#record.key, roles: dropped, drained })
  }

  #close(role: Role): void {
    const fd = this.#ends.get(role)
    if (fd === undefined) return
    this.#options.watcher.forget(fd)
    this.#ends.close(role)
  }

  /** Stops all relays. @returns what to wait for before their descriptors may be closed */
  #letGo(): Promise<unknown> | undefined {
    const waits = [this.#input, ...this.#outputs.values()].map((relay) => relay?.stop())
    this.#outputs.clear()
    this.#input = undefined
    return waits.some((wait) => wait !== undefined) ? Promise.all(waits) : undefined
  }

  #update(change: Partial<ProcessRecord>): void {
    this.#record = { ...this.#record, ...change }
    try {
      this.#options.records.write(this.#record)
      this.#isWritten = true
    } catch (error) {
      // Without the directory no client can come for the record.
      this.#isWritten = isErrno(error, 'ENOENT') && !this.#options.records.exist
      // A full disk must not prevent the end of a process from being reported.
      console.error(`the record of ${this.#record.key} is not written:`, error)
    }
  }
}
