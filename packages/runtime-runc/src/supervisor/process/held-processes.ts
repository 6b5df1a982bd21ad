import { NsboxError } from '@nsbox/errors'
import { pidfdExitStatus } from '@nsbox/sys/processes'
import type { ProcessRecord } from '../protocol/process-record.ts'
import type { Ends } from '../protocol/roles.ts'
import { HeldProcess, type HeldProcessOptions } from './held-process.ts'
import { launch } from './launch.ts'
import type { LaunchMessage } from './launch-request.ts'
import { OwnedEnds } from './owned-ends.ts'
import { Reaper } from './reaper.ts'

/** The status that stands for one that nobody can tell any more. */
const unknownStatus = 255
/** Milliseconds between two questions for an exit status, and how many there are: its parent may be slow to wait for it. */
const askInterval = 20
const mostAsks = 250

/** All processes that a supervisor has in charge, and launches under way. */
export class HeldProcesses {
  readonly #options: HeldProcessOptions
  readonly #held = new Map<string, HeldProcess>()
  readonly #launches = new Map<string, AbortController>()
  readonly #byPid = new Map<number, HeldProcess>()
  readonly #reaper = new Reaper({ onExit: (pid, exitStatus) => this.#exited(pid, exitStatus) })

  constructor(options: HeldProcessOptions) {
    this.#options = options
    process.on('SIGCHLD', () => this.#reaper.sweep())
  }

  get empty(): boolean {
    return this.#held.size === 0 && this.#launches.size === 0
  }

  all(): Iterable<HeldProcess> {
    return this.#held.values()
  }

  /** @throws `not_found` */
  get(key: string): HeldProcess {
    const held = this.#held.get(key)
    if (held === undefined) throw new NsboxError('not_found', `process ${JSON.stringify(key)}`)
    return held
  }

  /** @throws as `Supervisor.launch` */
  async launch(message: LaunchMessage): Promise<HeldProcess> {
    this.#checkFree(message.key)
    const controller = new AbortController()
    this.#launches.set(message.key, controller)
    try {
      const { watcher } = this.#options
      const hold = (record: ProcessRecord, ends: OwnedEnds) => {
        const held = this.#hold(record, ends)
        this.#byPid.set(record.pid, held)
        this.#reaper.watch(record.pid)
      }
      await launch(message, { watcher, reaper: this.#reaper, signal: controller.signal, hold })
      return this.get(message.key)
    } finally {
      this.#launches.delete(message.key)
    }
  }

  /** Ends a launch that is under way; without one, it does nothing. */
  cancel(key: string): void {
    this.#launches.get(key)?.abort()
  }

  /** Takes charge of a process that another supervisor launched, whose descriptors the caller hands over. */
  adopt(record: ProcessRecord, ends: Ends): HeldProcess {
    const owned = new OwnedEnds(ends)
    try {
      this.#checkFree(record.key)
      const held = this.#hold(record, owned)
      if (record.exit === undefined) this.#watch(held)
      return held
    } catch (error) {
      owned.closeAll()
      throw error
    }
  }

  async release(key: string): Promise<void> {
    const held = this.get(key)
    this.#held.delete(key)
    const { pid } = held.record
    if (this.#byPid.delete(pid)) this.#reaper.forget(pid)
    await held.release()
  }

  #hold(record: ProcessRecord, ends: OwnedEnds): HeldProcess {
    const held = new HeldProcess(record, ends, this.#options)
    this.#held.set(record.key, held)
    return held
  }

  #checkFree(key: string): void {
    if (this.#held.has(key) || this.#launches.has(key))
      throw new NsboxError('already_exists', `process ${JSON.stringify(key)}`)
  }

  #exited(pid: number, exitStatus: number): void {
    const held = this.#byPid.get(pid)
    this.#byPid.delete(pid)
    held?.ended({ exitStatus, exitedAt: Date.now() })
  }

  /** A process that is somebody else's child: its descriptor tells when it ends, and perhaps how. */
  #watch(held: HeldProcess): void {
    const pidfd = held.ends.get('pidfd')
    if (pidfd === undefined) held.ended({ exitStatus: unknownStatus, exitedAt: Date.now() })
    else this.#options.watcher.onceEnded(pidfd, () => this.#askStatus(held, Date.now(), 0))
  }

  #askStatus(held: HeldProcess, exitedAt: number, asked: number): void {
    const pidfd = held.ends.get('pidfd')
    if (pidfd === undefined) return
    const status = pidfdExitStatus(pidfd)
    if (status === 'pending' && asked < mostAsks)
      setTimeout(() => this.#askStatus(held, exitedAt, asked + 1), askInterval)
    else held.ended({ exitStatus: typeof status === 'number' ? status : unknownStatus, exitedAt })
  }
}
