import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, isNsboxError, NsboxError } from '@nsbox/errors'
import { notice, notices } from '../protocol/answers.ts'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ExitRecord, ProcessRecord } from '../protocol/process-record.ts'
import type { Ends } from '../protocol/roles.ts'
import { checked } from '../protocol/schema.ts'
import type {
  AbortOptions,
  LaunchRequest,
  SupervisedProcess,
  Supervisor,
  SupervisorStatistics,
} from '../supervisor.ts'
import { killSupervisor } from './kill-supervisor.ts'
import { ProcessHandle, type ProcessHandleOwner } from './process-handle.ts'
import { requestLaunch } from './request-launch.ts'
import { startSupervisor } from './start-supervisor.ts'
import { Succession } from './succession.ts'
import { SupervisorConnection, type SupervisorConnectionHandlers } from './supervisor-connection.ts'
import type { SupervisorProgram } from './supervisor-program.ts'

/** Options of a pool. */
export interface SupervisorPoolOptions {
  /** The directory of all supervisors; each has one of its own in it. */
  readonly directory: string
  readonly program: SupervisorProgram
  readonly onWarning: (message: string, error?: unknown) => void
  /** Milliseconds after which a supervisor that does not answer is taken for dead. */
  readonly answerTimeout: number
}

/** All supervisors of a client. */
export class SupervisorPool implements Supervisor, ProcessHandleOwner, SupervisorConnectionHandlers {
  readonly #options: SupervisorPoolOptions
  readonly #processes = new Map<string, ProcessHandle>()
  /** The cgroup of the supervisor of each launch under way, by key. */
  readonly #launching = new Map<string, string>()
  /** The supervisor of each process; a promise while another one takes over. */
  readonly #holders = new Map<ProcessHandle, SupervisorConnection | Promise<SupervisorConnection>>()
  readonly #links = new Set<SupervisorConnection>()
  /** Supervisors that have not yet reported all their processes, and those reported so far. */
  readonly #joining = new Map<SupervisorConnection, ProcessHandle[]>()
  /** The supervisors that take new processes, by cgroup. */
  readonly #current = new Map<string, Promise<SupervisorConnection>>()
  /** Those that have been started. */
  readonly #ready = new Map<string, SupervisorConnection>()
  readonly #succession: Succession
  #lost = 0
  #disposed: Promise<void> | undefined

  constructor(options: SupervisorPoolOptions) {
    this.#options = options
    this.#succession = new Succession({
      onWarning: options.onWarning,
      holders: this.#holders,
      checkOpen: () => this.#checkOpen(),
      join: (directory) => this.#join(directory),
      known: (key) => this.#processes.get(key),
      current: (cgroup) => this.#currentFor(cgroup),
      addOrphan: ({ record, ends }) => {
        const process = new ProcessHandle(record, ends, this)
        this.#processes.set(process.key, process)
        return process
      },
      exited: (process, exit) => this.#exited(process, exit),
    })
  }

  /**
   * Finds the supervisors of an earlier client, and the records of those that have ended.
   * @throws `failed_precondition` for supervisors and records of a newer program
   */
  async find(): Promise<void> {
    const left: string[] = []
    for (const name of await readdir(this.#options.directory)) {
      const directory = join(this.#options.directory, name)
      try {
        await this.#join(directory)
      } catch (error) {
        if (isNsboxError(error) && error.code === 'failed_precondition') throw error
        left.push(directory)
      }
    }
    for (const directory of left) await this.#succession.takeOver(directory)
  }

  async launch(request: LaunchRequest, { signal }: AbortOptions = {}): Promise<SupervisedProcess> {
    signal?.throwIfAborted()
    const { key } = request
    this.#checkOpen()
    if (this.#processes.has(key) || this.#launching.has(key))
      throw new NsboxError('already_exists', `process ${JSON.stringify(key)}`)
    const cgroup = request.cgroup ?? ''
    this.#launching.set(key, cgroup)
    try {
      const link = await this.#currentFor(cgroup)
      signal?.throwIfAborted()
      return await requestLaunch(link, request, {
        signal,
        accept: (record, ends) => {
          const process = this.#told(record, ends)
          this.#holders.set(process, link)
          return process
        },
      })
    } finally {
      this.#launching.delete(key)
      await this.#endIfUnused(this.#ready.get(cgroup))
    }
  }

  processes(): readonly SupervisedProcess[] {
    return [...this.#processes.values()]
  }

  process(key: string): SupervisedProcess | undefined {
    return this.#processes.get(key)
  }

  statistics(): SupervisorStatistics {
    return { supervisors: this.#links.size, processes: this.#processes.size, lost: this.#lost }
  }

  async warm({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#checkOpen()
    await this.#currentFor('')
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#leave()
    return this.#disposed
  }

  async supervisorOf(process: ProcessHandle): Promise<SupervisorConnection> {
    this.#checkOpen()
    const holder = this.#holders.get(process)
    if (holder === undefined) throw new NsboxError('not_found', `process ${process.key}`)
    return holder
  }

  async forget(process: ProcessHandle): Promise<void> {
    const holder = this.#holders.get(process)
    this.#holders.delete(process)
    if (this.#processes.get(process.key) === process) this.#processes.delete(process.key)
    if (holder instanceof SupervisorConnection) await this.#endIfUnused(holder)
  }

  notice(link: SupervisorConnection, message: object, ends: OwnedEnds): void {
    const { notice: kind } = checked(notice, message)
    if (kind === 'process') {
      const reported = this.#joining.get(link)
      if (reported === undefined)
        throw new NsboxError('invalid_argument', 'message of a supervisor: a process that nobody asked for')
      reported.push(this.#told(checked(notices.process, message).record, ends.takeAll()))
    } else if (kind === 'exit') {
      const { key, exit } = checked(notices.exit, message)
      const process = this.#heldBy(link, key)
      if (process !== undefined) this.#exited(process, exit)
    } else if (kind === 'closed') {
      const { key, roles, drained } = checked(notices.closed, message)
      this.#heldBy(link, key)?.closed(roles, drained)
    }
  }

  lost(link: SupervisorConnection, error: Error | undefined): void {
    // Who connects learns it from the failed request, and has still to find out what the supervisor holds.
    if (!this.#links.has(link)) return
    this.#drop(link)
    if (this.#disposed !== undefined) return
    const mine = [...this.#holders].flatMap(([process, holder]) => (holder === link ? [process] : []))
    // A supervisor that was told to end has done so, perhaps without reading the last messages (unix(7)).
    const hasEnded = error === undefined || isErrno(error, 'ECONNRESET')
    if (mine.length === 0 && hasEnded && (link.retired || !link.alive)) {
      link.forget()
      rmSync(link.directory, { recursive: true, force: true })
      return
    }
    this.#options.onWarning(`the supervisor ${link.pid} is lost`, error)
    this.#lost++
    const successor = this.#succession.succeed(link, mine)
    successor.catch((failure) => this.#options.onWarning('no supervisor takes over', failure))
    for (const process of mine) this.#holders.set(process, successor)
  }

  #exited(process: ProcessHandle, exit: ExitRecord): void {
    if (exit.unknown)
      this.#options.onWarning(`how the process ${process.pid} of ${process.key} ended is unknown`)
    process.exited(exit)
  }

  #heldBy(link: SupervisorConnection, key: string): ProcessHandle | undefined {
    const process = this.#processes.get(key)
    return process !== undefined && this.#holders.get(process) === link ? process : undefined
  }

  /** Takes a process that a supervisor reports; it may be known already. */
  #told(record: ProcessRecord, ends: Ends): ProcessHandle {
    const known = this.#processes.get(record.key)
    if (known !== undefined) {
      known.retold(record, ends)
      return known
    }
    const process = new ProcessHandle(record, ends, this)
    this.#processes.set(record.key, process)
    return process
  }

  #currentFor(cgroup: string): Promise<SupervisorConnection> {
    const current = this.#current.get(cgroup)
    if (current !== undefined) return current
    const starting = this.#start(cgroup)
    this.#current.set(cgroup, starting)
    starting.catch(() => {
      if (this.#current.get(cgroup) === starting) this.#current.delete(cgroup)
    })
    return starting
  }

  async #start(cgroup: string): Promise<SupervisorConnection> {
    const directory = join(this.#options.directory, randomBytes(4).toString('hex'))
    await startSupervisor({ program: this.#options.program, directory, cgroup })
    const link = await this.#connect(directory).catch(async (error) => {
      await killSupervisor(directory)
      rmSync(directory, { recursive: true, force: true })
      throw error
    })
    this.#links.add(link)
    this.#ready.set(cgroup, link)
    if (this.#disposed !== undefined) {
      await this.#retire(link)
      throw new NsboxError('canceled', 'the supervisor’s handle is closed')
    }
    return link
  }

  /**
   * Adds a supervisor that runs already; one of another build, or a second one, is told to end with its processes.
   * @throws `unavailable` if it is lost before it has reported all its processes; `failed_precondition` for one of a
   *   newer program
   */
  async #join(directory: string): Promise<SupervisorConnection> {
    const link = await this.#connect(directory)
    const reported: ProcessHandle[] = []
    this.#joining.set(link, reported)
    try {
      await link.request(
        'processes',
        {},
        {
          // Before any later notice of these processes, and before a loss.
          accept: () => {
            this.#links.add(link)
            for (const process of reported) this.#holders.set(process, link)
          },
        },
      )
    } catch (error) {
      link.forget()
      throw error
    } finally {
      this.#joining.delete(link)
    }
    if (link.build === this.#options.program.build && !this.#current.has(link.cgroup)) {
      this.#ready.set(link.cgroup, link)
      this.#current.set(link.cgroup, Promise.resolve(link))
    } else await this.#tellToRetire(link)
    await this.#endIfUnused(link)
    return link
  }

  #connect(directory: string): Promise<SupervisorConnection> {
    return SupervisorConnection.connect(directory, this, this.#options.answerTimeout)
  }

  #drop(link: SupervisorConnection): void {
    this.#links.delete(link)
    if (this.#ready.get(link.cgroup) !== link) return
    this.#ready.delete(link.cgroup)
    this.#current.delete(link.cgroup)
  }

  async #leave(): Promise<void> {
    // `#start` retires supervisors that are still being started.
    await Promise.all([...this.#links].map((link) => this.#retire(link)))
    await Promise.allSettled(this.#current.values())
    for (const process of this.#processes.values()) process.abandon()
    this.#processes.clear()
    this.#holders.clear()
  }

  /** Tells a supervisor to end once it holds no process, and disconnects. */
  async #retire(link: SupervisorConnection): Promise<void> {
    await this.#tellToRetire(link)
    link.forget()
    this.#links.delete(link)
  }

  /** Tells a supervisor to end once it holds no process. One that is lost meanwhile is succeeded as any other. */
  async #tellToRetire(link: SupervisorConnection): Promise<void> {
    try {
      await link.retire()
    } catch (error) {
      this.#options.onWarning(`the supervisor ${link.pid} does not answer`, error)
    }
  }

  /**
   * Ends a supervisor in a given cgroup as soon as it holds no process, and waits for its end: until then the cgroup's
   * owner cannot remove the cgroup.
   */
  async #endIfUnused(link: SupervisorConnection | undefined): Promise<void> {
    if (link === undefined || link.cgroup === '' || this.#ready.get(link.cgroup) !== link) return
    if ([...this.#launching.values()].includes(link.cgroup)) return
    if ([...this.#holders.values()].includes(link)) return
    // The next launch starts another one.
    this.#drop(link)
    try {
      await link.retire()
      await link.ended()
    } catch (error) {
      // It may have ended before it answered.
      if (link.alive) this.#options.onWarning(`the supervisor ${link.pid} does not answer`, error)
    }
  }

  #checkOpen(): void {
    if (this.#disposed !== undefined)
      throw new NsboxError('failed_precondition', 'the supervisor’s handle is closed')
  }
}
