import { closeSync, openSync, write } from 'node:fs'
import { promisify } from 'node:util'

const writeFile = promisify(write)

/**
 * The kernel's lock for moving a process into another cgroup, one for all hierarchies (`cgroup_threadgroup_rwsem`). If
 * it has not been taken for some time, taking it waits for an RCU grace period: 10 to 15 ms of a `runc create` or
 * `exec`. So it is taken before runc runs, by moving a thread of this process to the cgroup that it is in; if the
 * process has been moved elsewhere meanwhile, the kernel refuses (`cgroup.threads` in cgroups(7)). With the mount
 * option `favordynmods` there is never a wait.
 */
export class AttachLock {
  readonly #ownThreads: () => string | undefined
  #isBeingTaken = false

  /** @param ownThreads finds the file `cgroup.threads` of this process's cgroup, if there is one */
  constructor(ownThreads: () => string | undefined) {
    this.#ownThreads = ownThreads
  }

  /** Takes the lock, so that taking it again is quick for some milliseconds. */
  expect(): void {
    if (!this.#isBeingTaken) void this.#take()
  }

  /** The write waits in a thread of the pool. */
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
      // Without permission for this, runc only waits as it would anyway.
    } finally {
      if (fd !== undefined) closeSync(fd)
      this.#isBeingTaken = false
    }
  }
}
