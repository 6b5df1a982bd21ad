import { NsboxError } from '@nsbox/errors'
import { pidfdProcess, signalPidfd } from '@nsbox/sys/processes'
import { wallTime } from '@nsbox/time'
import type { LaunchMessage } from '../protocol/launch-message.ts'
import { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ExitRecord, ProcessRecord } from '../protocol/process-record.ts'
import type { Ends, Role } from '../protocol/roles.ts'
import { AdoptedProcessExit, unknownStatus } from './adopted-process-exit.ts'
import { endCgroup } from './end-cgroup.ts'
import { launchProcess } from './launch-process.ts'
import { ManagedProcess, type ManagedProcessOptions } from './managed-process.ts'
import { Reaper } from './reaper.ts'

/** The parts that the processes of a supervisor share. */
export interface ProcessTableOptions extends ManagedProcessOptions {
  /** The supervisor's directory. */
  readonly directory: string
  /** Called when a process was released. */
  readonly onReleased: () => void
}

/** The client of a launched or adopted process. */
export interface OfClient {
  /** Aborted when it has left. */
  readonly client: AbortSignal
}

/** All processes of a supervisor, and launches under way. */
export class ProcessTable {
  readonly #options: ProcessTableOptions
  readonly #held = new Map<string, ManagedProcess>()
  readonly #launches = new Map<string, AbortController>()
  /** Processes that other supervisors have launched. */
  readonly #foreign = new Map<string, AdoptedProcessExit>()
  readonly #byPid = new Map<number, ManagedProcess>()
  /** Of processes that end with their clients: what lets them go on. */
  readonly #kept = new Map<string, () => void>()
  /** How many processes are being ended. */
  #ending = 0
  readonly #reaper = new Reaper({ onExit: (pid, exitStatus) => this.#exited(pid, exitStatus) })

  constructor(options: ProcessTableOptions) {
    this.#options = options
    process.on('SIGCHLD', () => this.#reaper.sweep())
  }

  get empty(): boolean {
    return this.#held.size === 0 && this.#launches.size === 0 && this.#ending === 0
  }

  /** Whether nothing is left to do for any process: each has ended, and that is on disk. */
  get over(): boolean {
    const isAtWork = this.#launches.size > 0 || this.#ending > 0
    return !isAtWork && [...this.#held.values()].every(({ over }) => over)
  }

  all(): Iterable<ManagedProcess> {
    return this.#held.values()
  }

  /** @throws `not_found` */
  get(key: string): ManagedProcess {
    const held = this.#held.get(key)
    if (held === undefined) throw new NsboxError('not_found', `process ${JSON.stringify(key)}`)
    return held
  }

  /** @throws as `Supervisor.launch` */
  async launch(message: LaunchMessage, { client }: OfClient): Promise<ManagedProcess> {
    this.#checkFree(message.key)
    const controller = new AbortController()
    this.#launches.set(message.key, controller)
    const cancel = () => controller.abort()
    client.addEventListener('abort', cancel)
    try {
      const { directory, watcher } = this.#options
      const hold = (record: ProcessRecord, ends: OwnedEnds) => {
        const held = this.#hold(record, ends)
        this.#byPid.set(record.pid, held)
        this.#reaper.watch(record.pid)
        this.#endWith(client, held)
      }
      const reaper = this.#reaper
      await launchProcess(message, { directory, watcher, reaper, signal: controller.signal, hold })
      return this.get(message.key)
    } catch (error) {
      // What the program has made before it was killed.
      const cgroup = message.endsWithClient?.cgroup
      if (cgroup !== undefined) await this.#end(() => endCgroup(cgroup))
      throw error
    } finally {
      client.removeEventListener('abort', cancel)
      this.#launches.delete(message.key)
    }
  }

  /** Cancels a launch; does nothing if none is under way. */
  cancel(key: string): void {
    this.#launches.get(key)?.abort()
  }

  /** Takes over a process that another supervisor launched, with the caller's descriptors. */
  adopt(record: ProcessRecord, ends: Ends, { client }: OfClient): ManagedProcess {
    const owned = new OwnedEnds(ends)
    try {
      this.#checkFree(record.key)
      checkPidfd('pidfd', owned.get('pidfd'), record.pid)
      checkPidfd('logger', owned.get('logger'))
      const held = this.#hold(record, owned)
      if (record.exit === undefined) this.#watch(held)
      this.#endWith(client, held)
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
    // An adopted process may claim the pid of a launched one.
    if (this.#byPid.get(pid) === held) {
      this.#byPid.delete(pid)
      this.#reaper.forget(pid)
    }
    this.#foreign.get(key)?.stop()
    this.#foreign.delete(key)
    this.#kept.get(key)?.()
    await held.release()
    this.#options.onReleased()
  }

  /** Ends a process when its client leaves, if it was launched for that. */
  #endWith(client: AbortSignal, held: ManagedProcess): void {
    const { key, endsWithClient } = held.record
    if (endsWithClient === undefined) return
    const end = async () => {
      const pidfd = held.ends.get('pidfd')
      if (pidfd !== undefined) signalPidfd(pidfd, 9)
      await endCgroup(endsWithClient.cgroup)
      // The next client may have released it meanwhile.
      if (this.#held.get(key) === held) await this.release(key)
    }
    const left = () => void this.#end(end)
    client.addEventListener('abort', left, { once: true })
    this.#kept.set(key, () => {
      client.removeEventListener('abort', left)
      this.#kept.delete(key)
    })
    if (client.aborted) left()
  }

  /** The supervisor does not end meanwhile. */
  async #end(work: () => Promise<void>): Promise<void> {
    this.#ending++
    try {
      await work()
    } catch (error) {
      console.error('what ends with its client is not ended:', error)
    } finally {
      this.#ending--
      this.#options.onReleased()
    }
  }

  #hold(record: ProcessRecord, ends: OwnedEnds): ManagedProcess {
    const held = new ManagedProcess(record, ends, this.#options)
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
    held?.ended({ exitStatus, exitedAt: wallTime() })
  }

  #watch(held: ManagedProcess): void {
    const pidfd = held.ends.get('pidfd')
    const onEnd = (exit: ExitRecord) => held.ended(exit)
    if (pidfd === undefined) onEnd({ exitStatus: unknownStatus, exitedAt: wallTime(), unknown: true })
    else
      this.#foreign.set(
        held.record.key,
        new AdoptedProcessExit(held.record.pid, pidfd, { watcher: this.#options.watcher, onEnd }),
      )
  }
}

/**
 * Checks a descriptor whose process is waited for and may be signalled.
 * @param pid of the process that it must stand for, unless that is gone; any by default
 * @throws `invalid_argument` for another descriptor
 */
function checkPidfd(role: Role, fd: number | undefined, pid?: number): void {
  if (fd === undefined) return
  const found = pidfdProcess(fd)
  if (found === undefined || (pid !== undefined && found !== pid && found !== -1))
    throw new NsboxError('invalid_argument', `the descriptor ${role} stands for ${found ?? 'no process'}`)
}
