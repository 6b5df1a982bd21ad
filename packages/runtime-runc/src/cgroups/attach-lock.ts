import { closeSync, openSync, write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const writeFile = promisify(write)

/** Milliseconds for which the lock is kept ready, unless it is expected again. */
const window = 60
/** Milliseconds between two times that it is taken; it stays ready for about a grace period. */
const interval = 8

/**
 * The lock that the kernel takes to move a process into another cgroup, one for all hierarchies. Where it has not been
 * taken for some time, that waits for a grace period of RCU, some 15 ms: a third of what a container needs to be made.
 * Whoever is about to have a process moved says so, and the waiting is done meanwhile. It is taken by moving this process
 * to where it is. (Linux: `cgroup_threadgroup_rwsem`. On hosts whose cgroups are mounted with `favordynmods` it is ready
 * always.)
 */
export class AttachLock {
  readonly #ownProcesses: () => string | undefined
  #until = 0
  #isKept = false

  /** @param ownProcesses finds the file `cgroup.procs` of this process's cgroup */
  constructor(ownProcesses: () => string | undefined) {
    this.#ownProcesses = ownProcesses
  }

  /** Makes it ready, for a short while. */
  expect(): void {
    this.#until = performance.now() + window
    if (!this.#isKept) void this.#keep()
  }

  async #keep(): Promise<void> {
    this.#isKept = true
    try {
      while (performance.now() < this.#until) {
        await this.#take()
        await sleep(interval)
      }
    } catch {
      // Whoever may not do this, or has been moved just now, only waits as long as everybody else.
    } finally {
      this.#isKept = false
    }
  }

  /** It waits in a thread. */
  async #take(): Promise<void> {
    // Looked up each time: somebody may have moved this process.
    const path = this.#ownProcesses()
    if (path === undefined) return
    const fd = openSync(path, 'w')
    try {
      await writeFile(fd, '0')
    } finally {
      closeSync(fd)
    }
  }
}
