import type { ContainerCgroup } from '../container-cgroup.ts'
import { OomCounter } from './oom-counter.ts'

/** The watch for one container, until it is disposed of; the cgroup may be gone before. */
export interface OomWatch extends Disposable {
  /**
   * Looks now. Call it when a process of the container has ended, before reporting that, so that the kill is reported
   * first.
   */
  check(): void
}

/** What a host's way to tell of a lack of memory has to do. */
export interface OomSource extends Disposable {
  /** Calls `onChange` when there may be news of a cgroup. */
  watch(cgroup: ContainerCgroup, onChange: () => void): Disposable
}

/**
 * Reports when the kernel kills processes of a container because its memory is used up, or would if the OOM killer were
 * not disabled. Several kills at once are reported as one.
 */
export class OomWatcher implements Disposable {
  readonly #source: OomSource
  readonly #onWarning: (message: string, error: unknown) => void

  /** @param onWarning called when looking fails */
  constructor(source: OomSource, onWarning: (message: string, error: unknown) => void) {
    this.#source = source
    this.#onWarning = onWarning
  }

  /** Watches a container for kills from now on; without a memory controller none is ever reported. */
  watch(cgroup: ContainerCgroup, onOom: () => void): OomWatch {
    const counter = new OomCounter(cgroup, onOom)
    counter.check({ silent: true })
    const watched = this.#source.watch(cgroup, () => {
      try {
        counter.check()
      } catch (error) {
        this.#onWarning('looking for a lack of memory', error)
      }
    })
    return {
      check: () => counter.check(),
      [Symbol.dispose]: () => watched[Symbol.dispose](),
    }
  }

  [Symbol.dispose](): void {
    this.#source[Symbol.dispose]()
  }
}
