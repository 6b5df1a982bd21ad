import { closeSync, openSync, write } from 'node:fs'
import { promisify } from 'node:util'

const writeFile = promisify(write)

/**
 * The lock that the kernel takes to move a process into another cgroup, one for all hierarchies. Where it has not been
 * taken for some time, that waits for a grace period of RCU, some 10 to 15 ms of what runc takes to create or exec.
 * Whoever is about to have runc run says so, and the waiting is done meanwhile. It is taken by moving a thread of this
 * process to where it is; if somebody has moved the process elsewhere since that was read, the kernel refuses
 * (`cgroup.threads` in cgroups(7)). (Linux: `cgroup_threadgroup_rwsem`. On hosts whose cgroups are mounted with
 * `favordynmods` it is ready always.)
 */
export class AttachLock {
  readonly #ownThreads: () => string | undefined
  #isBeingTaken = false

  /** @param ownThreads finds the file `cgroup.threads` of this process's cgroup, if there is one */
  constructor(ownThreads: () => string | undefined) {
    this.#ownThreads = ownThreads
  }

  /** Makes it ready for the next some milliseconds. */
  expect(): void {
    if (!this.#isBeingTaken) void this.#take()
  }

  /** It waits in a thread. */
  async #take(): Promise<void> {
    this.#isBeingTaken = true
    let fd: number | undefined
    try {
      // Looked up each time: somebody may have moved this process.
      const path = this.#ownThreads()
      if (path === undefined) return
      fd = openSync(path, 'r+')
      await writeFile(fd, String(process.pid))
    } catch {
      // Whoever may not do this only waits as long as everybody else.
    } finally {
      if (fd !== undefined) closeSync(fd)
      this.#isBeingTaken = false
    }
  }
}
