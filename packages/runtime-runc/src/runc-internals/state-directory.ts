import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isErrno, NsboxError } from '@nsbox/errors'
import { processStat } from '@nsbox/sys/processes'
import { hasEnded } from '../runc/has-ended.ts'
import { hasExecuted } from '../runc/until-executed.ts'

/** Written by `runc create`. */
export const stateFile = 'state.json'
/** The first process waits for a reader of it, and writes a byte before it executes the spec's program. */
export const fifo = 'exec.fifo'

/** Where runc mounts the root filesystem for CRIU while it restores a container. */
export const criuRoot = (root: string, id: string): string => join(root, id, 'criu-root')

/** Milliseconds between checks that the process that should write is still there. */
const lookInterval = 100

/**
 * Milliseconds of the last pause before a busy cgroup is left to runc; the first takes one, and each twice the last.
 */
const longestPause = 32

/** The fields of `state.json` that are read, as runc 1.x writes them, if it is an object at all. */
interface State {
  readonly init_process_pid?: unknown
  readonly init_process_start?: unknown
  readonly cgroup_paths?: unknown
  readonly intel_rdt_path?: unknown
  readonly config?: {
    readonly Hooks?: Partial<Record<string, readonly unknown[] | null>> | null
    readonly namespaces?: readonly { readonly type?: unknown; readonly path?: unknown }[] | null
    readonly cgroups?: { readonly Systemd?: unknown } | null
  }
}

/**
 * The directory `<root>/<id>` in which runc keeps the state of a container. `runc start` and `runc delete` mostly make
 * a few system calls on it, but each takes 7 ms to begin and end. The methods leave the container as runc would; in
 * unusual cases they do nothing, or only what runc would do again.
 */
export class StateDirectory {
  readonly #directory: string
  readonly #state: State
  readonly #cgroups: readonly string[]

  private constructor(directory: string, state: State, cgroups: readonly string[]) {
    this.#directory = directory
    this.#state = state
    this.#cgroups = cgroups
  }

  /** @returns undefined if it is missing, or should be left to runc */
  static read(root: string, id: string): StateDirectory | undefined {
    const directory = join(root, id)
    let state: State | null
    try {
      state = JSON.parse(readFileSync(join(directory, stateFile), 'utf8')) as State | null
    } catch {
      // runc reports what is wrong.
      return undefined
    }
    if (!state?.config?.cgroups || !Array.isArray(state.config.namespaces)) return undefined
    const cgroups = Object.values(state.cgroup_paths ?? {})
    const isPlain =
      state.config.cgroups.Systemd !== true &&
      (state.intel_rdt_path ?? '') === '' &&
      cgroups.every((path) => typeof path === 'string' && path.startsWith('/'))
    return isPlain ? new StateDirectory(directory, state, cgroups) : undefined
  }

  /**
   * Starts the first process, as `runc start` does, and waits until it is about to execute its program, after hooks:
   * then it closes all that it has open, the FIFO included.
   *
   * @param timeout milliseconds until it must have begun
   * @returns false if it does not start; runc then reports the reason
   * @throws deadline_exceeded
   */
  async start(timeout: number): Promise<boolean> {
    if (this.#hasHooks('poststart')) return false
    const path = join(this.#directory, fifo)
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants
    let fd: number
    try {
      fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false
      throw error
    }
    if (!fstatSync(fd).isFIFO()) {
      closeSync(fd)
      return false
    }
    // Without the file, the container counts as running; from here on, its start cannot be stopped.
    return await this.#hasBegun(fd, timeout, () => rmSync(path, { force: true }))
  }

  /**
   * Removes the container, whose first process must have ended, and its cgroups, as `runc delete` does.
   * @returns false if something is left for runc to remove
   */
  async remove(): Promise<boolean> {
    const files = readdirSync(this.#directory)
    if (!files.every((name) => name === stateFile || name === fifo)) return false
    if (!this.#hasPids() || this.#hasHooks('poststop') || this.#lives()) return false
    const removed = await Promise.all(this.#cgroups.map(removeCgroup))
    if (removed.includes(false)) return false
    // In this order: as long as runc knows of it, it can be removed again.
    for (const name of [fifo, stateFile]) rmSync(join(this.#directory, name), { force: true })
    rmdirSync(this.#directory)
    return true
  }

  /** Whether a process is the container's first one. */
  isOf(pid: number): boolean {
    return this.#state.init_process_pid === pid && this.#lives() && this.#hasPids()
  }

  /** The container's cgroups, as absolute paths. */
  get cgroups(): readonly string[] {
    return this.#cgroups
  }

  /**
   * Waits for the byte that the first process writes, then for the end of the file.
   * @param onBegun called after the byte
   * @returns false if it has ended instead
   */
  async #hasBegun(fd: number, timeout: number, onBegun: () => void): Promise<boolean> {
    const socket = new Socket({ fd, readable: true, writable: false })
    let looks: NodeJS.Timeout | undefined
    let timer: NodeJS.Timeout | undefined
    let begun = false
    const begin = () => {
      if (begun) return
      begun = true
      clearTimeout(timer)
      onBegun()
    }
    try {
      return await new Promise((resolve, reject) => {
        const attempt = (action: () => void) => {
          try {
            action()
          } catch (error) {
            reject(error)
          }
        }
        socket.on('data', () => attempt(begin))
        socket.once('close', () => resolve(begun))
        socket.once('error', reject)
        const look = () => {
          // It may have written, run and ended since the last read, or to a server that was killed after that.
          const lives = this.#lives()
          if (lives && !this.#hasExecuted()) return
          if (lives || hasByte(fd)) begin()
          resolve(begun)
        }
        looks = setInterval(() => attempt(look), lookInterval)
        timer = setTimeout(() => reject(notWritten(timeout)), timeout)
      })
    } finally {
      clearInterval(looks)
      clearTimeout(timer)
      socket.destroy()
    }
  }

  /** Whether the first process, which exists, executes its program. */
  #hasExecuted(): boolean {
    const { init_process_pid: pid } = this.#state
    return typeof pid === 'number' && pid > 0 && hasExecuted(pid)
  }

  #hasHooks(name: string): boolean {
    return (this.#state.config?.Hooks?.[name]?.length ?? 0) > 0
  }

  /** Whether all other processes end with the first one. */
  #hasPids(): boolean {
    return this.#state.config?.namespaces?.some(({ type, path }) => type === 'NEWPID' && path === '') === true
  }

  /** Whether the first process exists, as far as can be told. */
  #lives(): boolean {
    const { init_process_pid: pid, init_process_start: start } = this.#state
    if (typeof pid !== 'number' || pid <= 0) return true
    return processStat(pid)?.startTime === String(start) && !hasEnded(pid)
  }
}

function hasByte(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(1)) === 1
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return false
    throw error
  }
}

function notWritten(timeout: number): NsboxError {
  return new NsboxError('deadline_exceeded', `the first process did not start within ${timeout} ms`)
}

/**
 * Removes a cgroup, which may be busy for a moment longer than its last process lives.
 * @returns whether it is gone
 */
async function removeCgroup(path: string): Promise<boolean> {
  for (let pause = 1; ; pause *= 2) {
    try {
      await rmdir(path)
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return true
      if (!isErrno(error, 'EBUSY') || pause > longestPause) return false
    }
    await sleep(pause)
  }
}
