import { readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskMetrics } from '@nsbox/core/tasks'
import { fromSystemError, isErrno, isNotFound, NsboxError } from '@nsbox/errors'
import { isWithin, type ProcessCgroups, processCgroups } from './process-cgroups.ts'
import { cgroupV1Metrics } from './v1/metrics.ts'
import { cgroupV2Metrics } from './v2/metrics.ts'

/**
 * The hierarchies that tell a container's processes on a host of version 1, the most certain first. The unified one is not
 * among them: it alone keeps the place of a process that has ended.
 */
const references = ['pids', 'devices', 'freezer', 'memory', 'cpu', 'cpuacct', 'blkio', 'name=systemd']

/** The cgroup of a container, in as many hierarchies as the host has. */
export class ContainerCgroup {
  readonly #version: 1 | 2
  readonly #reference: string
  readonly #directories: ReadonlyMap<string, string>
  /** Where it is in each hierarchy; to be kept for `CgroupHost.at`. */
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

  /** All processes in it and below, as the host numbers them, ordered; none if it does not exist any more. */
  pids(): number[] {
    const found = new Set<number>()
    collectPids(this.#directories.get(this.#reference)!, found)
    return [...found].sort((a, b) => a - b)
  }

  /** Removes it from all hierarchies, as far as it is there. @throws failed_precondition if it has processes */
  remove(): void {
    for (const directory of this.#directories.values()) removeCgroup(directory)
  }

  /**
   * What its processes have used up.
   * @throws not_found if it does not exist any more
   */
  metrics(): TaskMetrics['data'] {
    const data: TaskMetrics['data'] =
      this.#version === 2
        ? { cgroup: 2, metrics: cgroupV2Metrics(this.#directories.get('')!) }
        : { cgroup: 1, metrics: cgroupV1Metrics(this.#directories) }
    // Files that are gone count as such that the kernel does not have.
    try {
      readFileSync(join(this.#directories.get(this.#reference)!, 'cgroup.procs'))
    } catch (error) {
      throw isErrno(error, 'ENODEV') ? gone(error) : fromSystemError(error, 'cgroup of the container')
    }
    return data
  }
}

const gone = (cause: unknown) => new NsboxError('not_found', 'cgroup of the container', { cause })

function collectPids(directory: string, found: Set<number>): void {
  try {
    const text = readFileSync(join(directory, 'cgroup.procs'), 'utf8')
    // 0 stands for a process that this one cannot see.
    for (const line of text.split('\n')) if (Number(line) > 0) found.add(Number(line))
  } catch (error) {
    // EOPNOTSUPP: threads only, whose processes are told further up (cgroup v2).
    if (!isErrno(error, 'EOPNOTSUPP') && !isErrno(error, 'ENOTSUP') && !isGone(error)) throw error
  }
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory()) collectPids(join(directory, entry.name), found)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function removeCgroup(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory()) removeCgroup(join(directory, entry.name))
    rmdirSync(directory)
  } catch (error) {
    if (isErrno(error, 'EBUSY'))
      throw new NsboxError('failed_precondition', `cgroup ${JSON.stringify(directory)} is in use`, {
        cause: error,
      })
    if (!isGone(error)) throw error
  }
}

const isGone = (error: unknown) => isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')
