import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Supervisor } from '@nsbox/supervisor'
import type { CgroupHost } from '../cgroups/cgroup-host.ts'
import type { ContainerCgroup } from '../cgroups/container-cgroup.ts'
import { checkContainerId } from '../runc/container-id.ts'
import { commandPath } from '../runc/run-command.ts'
import type { Runc } from '../runc/runc.ts'
import { AttachLock } from './attach-lock.ts'
import { type Proof, probe } from './probe.ts'
import { type Program, runcProgram } from './program.ts'
import { Proofs } from './proofs.ts'
import { StateDirectory } from './state-directory.ts'

/** Milliseconds, as `runc start` has. */
const startTimeout = 60_000
/** Milliseconds after the first use of a program until it is probed, when nobody waits for its container. */
const probeDelay = 1_000

/** How to open shortcuts. */
export interface ShortcutsOptions {
  /** False to run runc for everything. */
  readonly enabled: boolean
  /** The directory of the runtime; empty after a start of the host. */
  readonly directory: string
  readonly supervisor: Supervisor
  readonly cgroups: CgroupHost
  readonly onWarning: (message: string, error?: unknown) => void
}

/**
 * Does some of runc's work by knowledge of its insides: `start`, `delete` and telling what is paused without running
 * it, and running it from a copy that it need not make itself. Only for a program named runc that has passed a probe
 * since the start of the host, while its file stays the same; any other, and runc until then, does all its work itself.
 */
export class Shortcuts implements AsyncDisposable {
  readonly #options: ShortcutsOptions
  readonly #proofs: Proofs
  readonly #probes: string
  readonly #attachLock: AttachLock
  /** Probes by identity of the program. */
  readonly #tried = new Map<string, Promise<boolean>>()
  #last: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  readonly #leaving = new AbortController()

  constructor(options: ShortcutsOptions) {
    this.#options = options
    this.#proofs = new Proofs(join(options.directory, 'proofs.json'))
    this.#probes = join(options.directory, 'probe')
    this.#attachLock = new AttachLock(() => options.cgroups.ownThreads())
  }

  /** Starts the first process of a container. @throws as `Runc.start` */
  async start(runc: Runc, id: string): Promise<void> {
    if (await this.#stateOf(runc, id)?.start(startTimeout)) return
    await runc.start(id)
  }

  /** Removes a container whose first process has ended. @throws as `Runc.delete` */
  async delete(runc: Runc, id: string): Promise<void> {
    if (await this.#stateOf(runc, id)?.remove()) return
    await runc.delete(id)
  }

  /** Prepares for a runtime that will move a process to a cgroup. It helps every runtime: the lock is the kernel's. */
  expectMove(): void {
    if (this.#options.enabled) this.#attachLock.expect()
  }

  /**
   * Whether a program is to be run from a sealed copy in memory. Before it enters a container, runc copies itself, so
   * that nothing in the container can reach the file on the host (CVE-2019-5736), unless it finds that it has been
   * started from such a copy, as by its own `memfd-bind`. That spares each `create` and `exec` a copy of 10 MB and its
   * execution: 6 ms of 18.
   */
  fromMemory(runc: Runc): boolean {
    return this.#proofOf(runc)?.fromMemory === true
  }

  /** Whether the shortcuts are used with a program. Otherwise it does all its work itself. */
  areTakenFor(runc: Runc): boolean {
    return this.#proofOf(runc) !== undefined
  }

  /**
   * Whether a container that has been started is paused, which runc reads from the freezer of its cgroup; undefined
   * where only the program can tell. Spares runc's list when a server starts, before it serves.
   */
  isPaused({ options }: Runc, cgroup: ContainerCgroup | undefined): boolean | undefined {
    const program = this.#programOf(options.binary)
    return program !== undefined && this.#proofs.of(program) !== undefined ? cgroup?.frozen : undefined
  }

  /** Starts a new probe if an interrupted one has left something, which that removes. */
  resume({ options }: Runc): void {
    const program = existsSync(this.#probes) ? this.#programOf(options.binary) : undefined
    if (program !== undefined) this.#proveSoon(program)
  }

  /** Probes a program now. @returns whether it is as expected */
  async prove({ options }: Runc): Promise<boolean> {
    const program = this.#programOf(options.binary)
    return program !== undefined && (await this.#prove(program))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#leaving.abort()
    await this.#last
  }

  #stateOf(runc: Runc, id: string): StateDirectory | undefined {
    const { root } = runc.options
    if (root === undefined || this.#proofOf(runc) === undefined) return undefined
    return StateDirectory.read(root, checkContainerId(id))
  }

  /** Undefined for a program that has not passed a probe. */
  #proofOf({ options }: Runc): Proof | undefined {
    const program = this.#programOf(options.binary)
    if (program === undefined) return undefined
    const proof = this.#proofs.of(program)
    if (proof === undefined && !this.#tried.has(program.identity)) this.#proveSoon(program)
    return proof
  }

  #programOf(binary = 'runc'): Program | undefined {
    if (!this.#options.enabled || process.geteuid?.() !== 0) return undefined
    try {
      return runcProgram(commandPath(binary))
    } catch {
      // Running it reports the error.
      return undefined
    }
  }

  #proveSoon(program: Program): void {
    if (this.#leaving.signal.aborted) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#prove(program)
    }, probeDelay).unref()
  }

  /** Probes run one after another, once for each program. */
  #prove(program: Program): Promise<boolean> {
    const known = this.#tried.get(program.identity)
    if (known !== undefined) return known
    const trying = this.#last.then(() => this.#try(program))
    this.#last = trying
    this.#tried.set(program.identity, trying)
    return trying
  }

  async #try(program: Program): Promise<boolean> {
    const { supervisor, onWarning } = this.#options
    const { signal } = this.#leaving
    if (this.#proofs.of(program) !== undefined) return true
    try {
      const proof = await probe(program, { supervisor, directory: this.#probes, signal })
      // The file may have been replaced meanwhile.
      if (this.#programOf(program.path)?.identity !== program.identity) return false
      this.#proofs.add(program, proof)
      return true
    } catch (error) {
      if (!signal.aborted) onWarning(`runc ${JSON.stringify(program.path)} runs without shortcuts`, error)
      return false
    }
  }
}
