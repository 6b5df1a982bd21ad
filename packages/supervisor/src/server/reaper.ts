import { type ChildEnd, peekEndedChild, reapChild, reapEndedChild } from '@nsbox/sys/processes'

/** Callbacks of a reaper. */
export interface ReaperOptions {
  /** Called when a watched process has ended. */
  readonly onExit: (pid: number, exitStatus: number) => void
}

/**
 * Waits for the children that Node does not know: launched processes, and orphans that this process has become the
 * parent of.
 *
 * A launched process may end before its pid is known, and looks like an orphan then. So an orphan is reaped only after
 * all launches that were under way when it was seen; until then its pid is not reused. Children of Node are left to
 * Node.
 */
export class Reaper {
  readonly #onExit: ReaperOptions['onExit']
  readonly #watched = new Set<number>()
  readonly #nodes = new Set<number>()
  /** Programs that were started, with the callback for their end. */
  readonly #programs = new Map<number, (end: ChildEnd) => void>()
  readonly #launches = new Set<number>()
  #lastLaunch = 0
  /** The next orphan to reap, which hides others behind it, and the last launch that it may belong to. */
  #front: { readonly pid: number; readonly launch: number } | undefined

  constructor({ onExit }: ReaperOptions) {
    this.#onExit = onExit
  }

  /** Registers a launch. @returns a function to call when its process is watched, or will not be */
  launch(): () => void {
    const launch = ++this.#lastLaunch
    this.#launches.add(launch)
    return () => {
      if (this.#launches.delete(launch)) this.sweep()
    }
  }

  /** Registers a child of Node. @returns a function to call when Node has reported its end */
  leaveToNode(pid: number): () => void {
    this.#nodes.add(pid)
    return () => {
      if (this.#nodes.delete(pid)) this.sweep()
    }
  }

  /** Resolves with the end of a child that was started in this turn without Node. */
  end(pid: number): Promise<ChildEnd> {
    return new Promise((resolve) => this.#programs.set(pid, resolve))
  }

  /** Reports the end of a child from now on. */
  watch(pid: number): void {
    this.#watched.add(pid)
  }

  /** Treats a child as an orphan from now on: its end is not reported. */
  forget(pid: number): void {
    this.#watched.delete(pid)
    this.sweep()
  }

  /** To be called on SIGCHLD: waits for all children that have ended. */
  sweep(): void {
    for (let pid = peekEndedChild(); pid !== undefined; pid = peekEndedChild()) {
      if (this.#programs.has(pid)) this.#reapProgram(pid)
      else if (this.#watched.has(pid)) this.#reap(pid)
      else if (this.#isOrphan(pid)) reapChild(pid)
      else {
        // The kernel shows the same child until it has been waited for, and none behind it.
        for (const program of this.#programs.keys()) this.#reapProgram(program)
        for (const watched of this.#watched) this.#reap(watched)
        return
      }
    }
  }

  #reap(pid: number): void {
    const exitStatus = reapChild(pid)
    if (exitStatus === undefined) return
    this.#watched.delete(pid)
    this.#onExit(pid, exitStatus)
  }

  #reapProgram(pid: number): void {
    const end = reapEndedChild(pid)
    if (end === undefined) return
    this.#programs.get(pid)?.(end)
    this.#programs.delete(pid)
  }

  #isOrphan(pid: number): boolean {
    if (this.#nodes.has(pid)) return false
    if (this.#front?.pid !== pid) this.#front = { pid, launch: this.#lastLaunch }
    const { launch } = this.#front
    for (const underWay of this.#launches) if (underWay <= launch) return false
    this.#front = undefined
    return true
  }
}
