import { closeSync, openSync, write } from 'node:fs'
import { promisify } from 'node:util'

const writeFile = promisify(write)

/**
 * The kernel's lock for moving a process into another cgroup, one for all hierarchies (`cgroup_threadgroup_rwsem`). If
 * it has not been taken for some time, taking it waits for an RCU grace period: 10 to 15 ms of a create or exec of
 * runc. So it is taken before runc runs, by moving a thread of this process to its own cgroup; if the process has been
 * moved elsewhere meanwhile, the kernel refuses (`cgroup.threads` in cgroups(7)). With the mount option `favordynmods`
 * there is never a wait.
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
      // Looked up each time: this process may have been moved.
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
