import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { opendir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { TaskMetrics } from '@nsbox/core/tasks'
import { fromSystemError, isErrno, isNotFound, NsboxError } from '@nsbox/errors'
import { isWithin, type ProcessCgroups, processCgroups } from './process-cgroups.ts'
import { cgroupV1Metrics } from './v1/metrics.ts'
import { cgroupV2Metrics } from './v2/metrics.ts'

/** How much is done before the event loop may run: bytes of a list, and cgroups. */
const pieceSize = 16 * 1024
const batch = 16

/**
 * The hierarchies that list a container's processes on a host of version 1, the most reliable first. The unified one is
 * left out: it keeps processes that have ended.
 */
const references = ['pids', 'devices', 'freezer', 'memory', 'cpu', 'cpuacct', 'blkio', 'name=systemd']

/** The cgroup of a container, in as many hierarchies as the host has. */
export class ContainerCgroup {
  readonly #version: 1 | 2
  readonly #reference: string
  readonly #directories: ReadonlyMap<string, string>
  /** Its path in each hierarchy; to be stored for `CgroupHost.at`. */
  readonly cgroups: ProcessCgroups

  /** @internal use `CgroupHost` */
  constructor(version: 1 | 2, cgroups: ProcessCgroups, directories: ReadonlyMap<string, string>) {
    const candidates = version === 2 ? [''] : references
    const reference = candidates.find((name) => directories.has(name))
    if (reference === undefined)
      throw new NsboxError('failed_precondition', 'the container has no cgroup of its own')
    this.#version = version
    this.#reference = reference
    this.#directories = directories
    this.cgroups = cgroups
  }

  /** The directory of a controller, or of the unified hierarchy (empty); undefined if the host does not have it. */
  directory(controller: string): string | undefined {
    return this.#directories.get(controller)
  }

  /** Whether a process is in this cgroup or one below it now; false for one that does not exist. */
  has(pid: number): boolean {
    try {
      const path = processCgroups(pid).get(this.#reference)
      return path !== undefined && isWithin(path, this.cgroups.get(this.#reference)!)
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  /** The pids on the host of all processes in it and below, ordered; none if it does not exist any more. */
  async pids(): Promise<number[]> {
    const found = new Set<number>()
    await collectPids(this.#directories.get(this.#reference)!, found)
    return [...found].sort((a, b) => a - b)
  }

  /** Whether its processes are frozen; undefined where that cannot be read, or is changing. */
  get frozen(): boolean | undefined {
    return this.#version === 2
      ? frozenInUnified(this.#directories.get('')!)
      : frozenByFreezer(this.#directories.get('freezer'))
  }

  /** Whether it exists in any hierarchy. */
  get exists(): boolean {
    return [...this.#directories.values()].some((directory) => existsSync(directory))
  }

  /** Removes it from all hierarchies. @throws failed_precondition if it has processes */
  async remove(): Promise<void> {
    for (const directory of this.#directories.values()) await removeCgroup(directory)
  }

  /**
   * Its resource usage.
   * @throws not_found if it does not exist any more
   */
  metrics(): TaskMetrics['data'] {
    const data: TaskMetrics['data'] =
      this.#version === 2
        ? { cgroup: 2, metrics: cgroupV2Metrics(this.#directories.get('')!) }
        : { cgroup: 1, metrics: cgroupV1Metrics(this.#directories) }
    // Files that are gone are treated like files that the kernel does not have.
    try {
      readFileSync(join(this.#directories.get(this.#reference)!, 'cgroup.procs'))
    } catch (error) {
      throw isErrno(error, 'ENODEV') ? gone(error) : fromSystemError(error, 'cgroup of the container')
    }
    return data
  }
}

/** Files: `cgroup.freeze` and `cgroup.events` (the kernel's admin-guide/cgroup-v2.rst). */
function frozenInUnified(directory: string): boolean | undefined {
  const wanted = read(join(directory, 'cgroup.freeze'))
  if (wanted === '0') return false
  return wanted === '1' && /^frozen 1$/m.test(read(join(directory, 'cgroup.events')) ?? '') ? true : undefined
}

/** The file `freezer.state`, which is `FREEZING` for a while (admin-guide/cgroup-v1/freezer-subsystem.rst). */
function frozenByFreezer(directory: string | undefined): boolean | undefined {
  const state = directory && read(join(directory, 'freezer.state'))
  return state === 'FROZEN' ? true : state === 'THAWED' ? false : undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

const gone = (cause: unknown) => new NsboxError('not_found', 'cgroup of the container', { cause })

/**
 * Yields to the event loop after each piece of a list and after some cgroups: a container can have very many of both.
 */
async function collectPids(top: string, found: Set<number>): Promise<void> {
  const directories = [top]
  for (let at = directories.pop(), looked = 1; at !== undefined; at = directories.pop(), looked++) {
    if (looked % batch === 0) await setImmediate()
    try {
      // 0 stands for a process that this process cannot see.
      for await (const line of lines(join(at, 'cgroup.procs'))) if (Number(line) > 0) found.add(Number(line))
    } catch (error) {
      // EOPNOTSUPP: a threaded cgroup, whose processes are listed by an ancestor (cgroup v2).
      if (!isErrno(error, 'EOPNOTSUPP') && !isErrno(error, 'ENOTSUP') && !isGone(error)) throw error
    }
    for await (const name of cgroupsIn(at)) directories.push(join(at, name))
  }
}

async function* lines(path: string): AsyncGenerator<string> {
  const fd = openSync(path, 'r')
  try {
    const piece = Buffer.alloc(pieceSize)
    let begun = ''
    for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) {
      const [first = '', ...more] = piece.toString('latin1', 0, read).split('\n')
      const complete = [begun + first, ...more]
      begun = complete.pop()!
      yield* complete
      if (read === pieceSize) await setImmediate()
    }
    yield begun
  } finally {
    closeSync(fd)
  }
}

async function* cgroupsIn(directory: string): AsyncGenerator<string> {
  try {
    for await (const entry of await opendir(directory)) if (entry.isDirectory()) yield entry.name
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

async function removeCgroup(directory: string): Promise<void> {
  for await (const name of cgroupsIn(directory)) await removeCgroup(join(directory, name))
  try {
    await rmdir(directory)
  } catch (error) {
    if (isErrno(error, 'EBUSY'))
      throw new NsboxError('failed_precondition', `cgroup ${JSON.stringify(directory)} is in use`, {
        cause: error,
      })
    if (!isGone(error)) throw error
  }
}

const isGone = (error: unknown) => isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')
