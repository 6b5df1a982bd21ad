import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestServer } from '../programs.ts'

/** What is killed. */
export type Victim = 'server' | 'supervisor' | 'both'

/** Kills a server and its supervisor, and knows when it has. */
export class Kills {
  readonly counts: Record<Victim, number> = { server: 0, supervisor: 0, both: 0 }
  readonly #server: TestServer
  #last: Promise<void> = Promise.resolve()
  #pending = 0
  #lastEnd = Number.NEGATIVE_INFINITY
  #lastOfBoth = Number.NEGATIVE_INFINITY

  constructor(server: TestServer) {
    this.#server = server
  }

  /** Kills after what is under way, and resolves once all serves again: otherwise two kills could be one of both. */
  strike(victim: Victim): Promise<void> {
    this.#pending++
    const turn = this.#last
      .then(() => this.#strike(victim))
      .finally(() => {
        this.#pending--
        this.#lastEnd = performance.now()
      })
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** Whether something was killed, or not yet replaced, at any time since. @param since of `performance.now` */
  struckSince(since: number): boolean {
    return this.#pending > 0 || this.#lastEnd >= since
  }

  /** Whether server and supervisor were both away since. */
  bothStruckSince(since: number): boolean {
    return this.#lastOfBoth >= since
  }

  /** Resolves when all serves. */
  async settled(): Promise<void> {
    await this.#last
  }

  async #strike(victim: Victim): Promise<void> {
    const server = this.#server
    const supervisors = victim === 'server' ? [] : await server.supervisors()
    // A process whose number has been given away must not be hit.
    const named = await Promise.all(supervisors.map(async (pid) => [pid, await startTime(pid)] as const))
    const directories = await Promise.all(supervisors.map(directoryOf))
    const ended = victim === 'supervisor' ? undefined : server.kill()
    for (const [pid] of named) kill(pid)
    if (victim === 'both') this.#lastOfBoth = Number.POSITIVE_INFINITY
    await ended
    while ((await Promise.all(named.map(([pid, time]) => isAlive(pid, time)))).some(Boolean)) await delay(10)
    if (victim !== 'supervisor') await server.restart()
    // Goes once another supervisor has what the one in it had.
    while (directories.some((path) => path !== undefined && existsSync(path))) await delay(10)
    if (victim === 'both') this.#lastOfBoth = performance.now()
    this.counts[victim]++
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function isAlive(pid: number, time: string | undefined): Promise<boolean> {
  return time !== undefined && (await startTime(pid)) === time
}

/** The directory that a supervisor was given, unless it has ended. */
async function directoryOf(pid: number): Promise<string | undefined> {
  const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  const flag = args.indexOf('--directory')
  return flag === -1 ? undefined : args[flag + 1]
}

/** Tells two processes with the same number apart; undefined for one that has ended (proc_pid_stat(5)). */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : fields[18]
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
