import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isNsboxError } from '@nsbox/errors'
import { adoptAnswer } from '../protocol/answers.ts'
import type { ExitRecord, ProcessRecord } from '../protocol/process-record.ts'
import { checked } from '../protocol/schema.ts'
import { killSupervisor } from './kill-supervisor.ts'
import { type OrphanedProcess, orphanedProcess } from './orphaned-process.ts'
import type { ProcessHandle } from './process-handle.ts'
import { recordOf } from './record-of.ts'
import { storedRecords } from './stored-records.ts'
import type { SupervisorConnection } from './supervisor-connection.ts'

/** What a succession needs of the pool whose supervisors are succeeded. */
export interface SuccessionPool {
  readonly onWarning: (message: string, error?: unknown) => void
  /** The supervisor of each process; a promise while another one takes over. */
  readonly holders: Map<ProcessHandle, SupervisorConnection | Promise<SupervisorConnection>>
  /** @throws `failed_precondition` once the pool is closed */
  checkOpen(): void
  /**
   * Adds a supervisor that runs already.
   * @throws `unavailable` if it does not answer
   */
  join(directory: string): Promise<SupervisorConnection>
  /** The supervisor that takes new processes of a cgroup. */
  current(cgroup: string): Promise<SupervisorConnection>
  /** A process that some supervisor has reported. */
  known(key: string): ProcessHandle | undefined
  /** Adds a process that no supervisor holds. */
  addOrphan(orphan: OrphanedProcess): ProcessHandle
  exited(process: ProcessHandle, exit: ExitRecord): void
}

/** Lets supervisors take over the processes of those that are lost. */
export class Succession {
  readonly #pool: SuccessionPool

  constructor(pool: SuccessionPool) {
    this.#pool = pool
  }

  /** Reconnects to the supervisor whose connection was lost, or else lets another one take over its processes. */
  async succeed(
    link: SupervisorConnection,
    processes: readonly ProcessHandle[],
  ): Promise<SupervisorConnection> {
    const again = link.alive ? await this.#reconnect(link) : undefined
    if (again !== undefined) return again
    link.kill()
    await link.ended()
    link.forget()
    const stored = storedRecords(link.directory, this.#pool.onWarning)
    recordExits(processes, stored)
    const successor = await this.#handOver(link.cgroup, processes)
    rmSync(link.directory, { recursive: true, force: true })
    return successor
  }

  /**
   * Takes over what a supervisor has left that ended while no client was there to hold its descriptors.
   * @throws `failed_precondition` for records of a newer program, which stay
   */
  async takeOver(directory: string): Promise<void> {
    // Those of a newer program are refused while nothing has been changed.
    storedRecords(directory, () => undefined)
    await killSupervisor(directory)
    const records = storedRecords(directory, this.#pool.onWarning)
    // Before it was lost it may have reported some, with their descriptors.
    const orphans = records.filter(({ key }) => this.#pool.known(key) === undefined)
    if (orphans.some(({ drained }) => !drained))
      this.#pool.onWarning(
        `the supervisor of ${directory} has ended, and with it the input and output of its processes`,
      )
    for (const record of orphans) this.#pool.addOrphan(orphanedProcess(record))
    // An earlier succession that was cut off may have handed some over.
    const processes = records
      .map(({ key }) => this.#pool.known(key)!)
      .filter((process) => !this.#pool.holders.has(process))
    recordExits(processes, records)
    if (processes.length > 0) {
      const successor = this.#handOver('', processes)
      for (const process of processes) this.#pool.holders.set(process, successor)
      await successor
    }
    rmSync(directory, { recursive: true, force: true })
  }

  async #reconnect(link: SupervisorConnection): Promise<SupervisorConnection | undefined> {
    try {
      const again = await this.#pool.join(link.directory)
      link.forget()
      return again
    } catch (error) {
      this.#pool.onWarning(`the supervisor ${link.pid} does not answer`, error)
      return undefined
    }
  }

  /** Lets a supervisor take over processes, and tries again if that one is lost. */
  async #handOver(cgroup: string, processes: readonly ProcessHandle[]): Promise<SupervisorConnection> {
    for (let wait = 50; ; wait = Math.min(2 * wait, 5_000)) {
      this.#pool.checkOpen()
      try {
        const link = await this.#pool.current(cgroup)
        for (const process of processes) await this.#adopt(link, process)
        return link
      } catch (error) {
        this.#pool.onWarning('a supervisor cannot take over processes', error)
      }
      await delay(wait, undefined, { ref: false })
    }
  }

  async #adopt(link: SupervisorConnection, process: ProcessHandle): Promise<void> {
    const { holders } = this.#pool
    if (!holders.has(process) || holders.get(process) === link) return
    try {
      const accept = (answer: object) => {
        const record = recordOf(answer, process.key)
        const { holds } = checked(adoptAnswer, answer)
        if (record.exit !== undefined) this.#pool.exited(process, record.exit)
        process.closed(
          [...process.ends.keys()].filter((role) => !holds.includes(role)),
          record.drained,
        )
        holders.set(process, link)
      }
      await link.request('adopt', { record: process.record }, { ends: () => process.ends, accept })
    } catch (error) {
      if (!isNsboxError(error) || error.code !== 'already_exists') throw error
      holders.set(process, link)
    }
  }
}

/** Ends what has ended by its record, without having been reported. */
function recordExits(processes: readonly ProcessHandle[], records: readonly ProcessRecord[]): void {
  const exits = new Map(records.map(({ key, exit }) => [key, exit]))
  for (const process of processes) {
    const exit = exits.get(process.key)
    if (exit !== undefined) process.exited(exit)
  }
}
