import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Supervisor } from '@nsbox/supervisor'
import type { CgroupHost } from '../cgroups/cgroup-host.ts'
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
/** Milliseconds after the first use of a program until it is tried, beside nothing that somebody waits for. */
const probeDelay = 1_000

/** How to open shortcuts. */
export interface ShortcutsOptions {
  /** Whether there are any. */
  readonly enabled: boolean
  /** That of the runtime; empty after a start of the host. */
  readonly directory: string
  readonly supervisor: Supervisor
  readonly cgroups: CgroupHost
  readonly onWarning: (message: string, error?: unknown) => void
}

/**
 * What is done in place of runc, by what is known of its insides: `start` and `delete` without running it, and running
 * it from a copy that it need not make itself. It is done with a program of that name for which it has been proved with
 * containers of its own, once since the start of the host, as long as the file is the same; with all others, and until
 * then, runc does all itself.
 */
export class Shortcuts implements AsyncDisposable {
  readonly #options: ShortcutsOptions
  readonly #proofs: Proofs
  readonly #probes: string
  readonly #attachLock: AttachLock
  /** By identity of the program. */
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

  /** Lets the first process of a container run. @throws as `Runc.start` */
  async start(runc: Runc, id: string): Promise<void> {
    if (await this.#stateOf(runc, id)?.start(startTimeout)) return
    await runc.start(id)
  }

  /** Removes a container whose first process has ended. @throws as `Runc.delete` */
  async delete(runc: Runc, id: string): Promise<void> {
    if (await this.#stateOf(runc, id)?.remove()) return
    await runc.delete(id)
  }

  /**
   * Says that runc is about to move a process to a cgroup, whichever runc it is: what that waits for is the kernel's.
   */
  expectMove(): void {
    if (this.#options.enabled) this.#attachLock.expect()
  }

  /**
   * Whether a program is to be run from a sealed copy in memory. Before it enters a container, runc makes such a copy
   * of itself each time, so that nothing in the container can reach the file on the host (CVE-2019-5736), unless it
   * finds that it has been started from one, as by its own `memfd-bind`. That spares each `create` and `exec` a copy of
   * 10 MB and an execution of it: 6 ms of 18.
   */
  fromMemory(runc: Runc): boolean {
    return this.#proofOf(runc)?.fromMemory === true
  }

  /** Whether anything is done in place of a program: with all others, all that runc is for is theirs to do. */
  areTakenFor(runc: Runc): boolean {
    return this.#proofOf(runc) !== undefined
  }

  /** Has what an interrupted probe has left removed, by another one. */
  resume({ options }: Runc): void {
    const program = existsSync(this.#probes) ? this.#programOf(options.binary) : undefined
    if (program !== undefined) this.#proveSoon(program)
  }

  /** Tries a program now. @returns whether it is as expected */
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

  /** Undefined for a program that is not to be trusted, or not yet. */
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
      // What is wrong with it is said when it is run.
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

  /** One after the other, each once. */
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
      // Somebody may have replaced it meanwhile.
      if (this.#programOf(program.path)?.identity !== program.identity) return false
      this.#proofs.add(program, proof)
      return true
    } catch (error) {
      if (!signal.aborted) onWarning(`runc ${JSON.stringify(program.path)} has to do all itself`, error)
      return false
    }
  }
}
