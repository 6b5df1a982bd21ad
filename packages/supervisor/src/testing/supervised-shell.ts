import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isNotFound } from '@nsbox/errors'
import { type TempDir, tempDir } from '@nsbox/testing'
import { openSupervisor } from '../open-supervisor.ts'
import type {
  LaunchPaths,
  LaunchRequest,
  SupervisedProcess,
  Supervisor,
  SupervisorOptions,
} from '../supervisor.ts'

/** Makes a process and, like a runtime, does not wait for it; a shell might. */
const runtime = `
  my $pid = fork // die;
  if (!$pid) { exec 'sh', '-c', $ARGV[0] or die }
  open my $file, '>', $ARGV[1] or die;
  print $file $pid;
  close $file or die;`

/**
 * A program that makes a process of a shell script, which is an orphan as soon as the program has ended.
 * @public tests load it in processes of their own
 */
export function shell(script: string): LaunchRequest['command'] {
  return ({ pidFile }: LaunchPaths) => ['perl', '-e', runtime, script, pidFile]
}

/** Supervisors and their processes in a directory of their own; all are ended after the test. */
export class SupervisorFixture implements AsyncDisposable {
  readonly dir: TempDir
  readonly warnings: string[] = []
  readonly #open = new Set<Supervisor>()
  #keys = 0

  static async create(): Promise<SupervisorFixture> {
    return new SupervisorFixture(await tempDir())
  }

  private constructor(dir: TempDir) {
    this.dir = dir
  }

  get directory(): string {
    return `${this.dir.path}/s`
  }

  async open(options: Partial<SupervisorOptions> = {}): Promise<Supervisor> {
    const onWarning = (message: string, error?: unknown) =>
      void this.warnings.push(`${message} ${error ?? ''}`)
    const supervisor = await openSupervisor({ directory: this.directory, onWarning, ...options })
    this.#open.add(supervisor)
    return supervisor
  }

  /** Closes a handle, as a client that ends. */
  async leave(supervisor: Supervisor): Promise<void> {
    this.#open.delete(supervisor)
    await supervisor[Symbol.asyncDispose]()
  }

  launch(
    supervisor: Supervisor,
    script: string,
    options: Partial<LaunchRequest> = {},
  ): Promise<SupervisedProcess> {
    const io = { stdin: '', stdout: '', stderr: '', terminal: false }
    return supervisor.launch({ key: `test/${++this.#keys}`, command: shell(script), ...io, ...options })
  }

  /** Pids of running supervisors. */
  supervisors(): number[] {
    return processesWith(`--directory\0${this.directory}/`)
  }

  /** The supervisors' output on standard error. */
  logs(): string {
    return readdirSync(this.directory)
      .map((name) => readFileSync(join(this.directory, name, 'log'), 'utf8'))
      .join('')
  }

  /** The records on disk of all supervisors. */
  records(): { key: string; pid: number; exit?: { exitStatus: number } }[] {
    return readdirSync(this.directory).flatMap((name) => {
      const records = join(this.directory, name, 'records')
      const files = readdirSync(records).filter((file) => file.endsWith('.json'))
      return files.map((file) => JSON.parse(readFileSync(join(records, file), 'utf8')))
    })
  }

  /** Ends and releases all processes. */
  async clear(): Promise<void> {
    for (const supervisor of this.#open)
      for (const process of supervisor.processes()) {
        try {
          process.signal(9)
        } catch (error) {
          if (!isNotFound(error)) throw error
        }
        await process.release()
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (existsSync(this.directory) && this.#open.size === 0) await this.open()
    await this.clear()
    for (const supervisor of this.#open) await supervisor[Symbol.asyncDispose]()
    for (const pid of this.supervisors()) await gone(pid)
    await this.dir[Symbol.asyncDispose]()
  }
}

/** Processes with a text in their arguments, without zombies. */
function processesWith(text: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) return []
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text) ? [pid] : []
    } catch {
      // It has ended since.
      return []
    }
  })
}

/** Waits, within bounds, until a process is gone. */
export async function gone(pid: number): Promise<void> {
  for (let tries = 0; existsSync(`/proc/${pid}`); tries++) {
    if (tries === 1000) throw new Error(`process ${pid} does not end`)
    await delay(10)
  }
}
