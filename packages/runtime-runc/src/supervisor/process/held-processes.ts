import { NsboxError } from '@nsbox/errors'
import { signalPidfd } from '@nsbox/sys/processes'
import { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ExitRecord, ProcessRecord } from '../protocol/process-record.ts'
import type { Ends, Role } from '../protocol/roles.ts'
import { ForeignEnd, unknownStatus } from './foreign-end.ts'
import { HeldProcess, type HeldProcessOptions } from './held-process.ts'
import { launch } from './launch.ts'
import type { LaunchMessage } from './launch-request.ts'
import { Reaper } from './reaper.ts'

/** All processes that a supervisor has in charge, and launches under way. */
export class HeldProcesses {
  readonly #options: HeldProcessOptions
  readonly #held = new Map<string, HeldProcess>()
  readonly #launches = new Map<string, AbortController>()
  /** Those that other supervisors have launched. */
  readonly #foreign = new Map<string, ForeignEnd>()
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
  async launch(message: LaunchMessage, { signal }: { readonly signal: AbortSignal }): Promise<HeldProcess> {
    this.#checkFree(message.key)
    const controller = new AbortController()
    this.#launches.set(message.key, controller)
    const cancel = () => controller.abort()
    signal.addEventListener('abort', cancel)
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
      signal.removeEventListener('abort', cancel)
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
      for (const role of ['pidfd', 'logger'] as const) checkProcess(role, owned.get(role))
      const held = this.#hold(record, owned)
      if (record.exit === undefined) this.#watch(held)
      return held
    } catch (error) {
      owned.closeAll()
      if (this.#held.get(record.key)?.record === record) void this.release(record.key)
      throw error
    }
  }

  async release(key: string): Promise<void> {
    const held = this.get(key)
    this.#held.delete(key)
    const { pid } = held.record
    if (this.#byPid.delete(pid)) this.#reaper.forget(pid)
    this.#foreign.get(key)?.stop()
    this.#foreign.delete(key)
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

  #watch(held: HeldProcess): void {
    const pidfd = held.ends.get('pidfd')
    const onEnd = (exit: ExitRecord) => held.ended(exit)
    if (pidfd === undefined) onEnd({ exitStatus: unknownStatus, exitedAt: Date.now(), unknown: true })
    else
      this.#foreign.set(
        held.record.key,
        new ForeignEnd(held.record.pid, pidfd, { watcher: this.#options.watcher, onEnd }),
      )
  }
}

/** @throws `invalid_argument` for a descriptor that stands for no process, whose end would be waited for in vain */
function checkProcess(role: Role, fd: number | undefined): void {
  try {
    if (fd !== undefined) signalPidfd(fd, 0)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `the descriptor ${role} stands for no process`, { cause })
  }
}
