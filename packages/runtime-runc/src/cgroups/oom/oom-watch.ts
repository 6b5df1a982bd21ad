import type { ContainerCgroup } from '../container-cgroup.ts'
import { OomCounter } from './oom-counter.ts'

/** The watch for one container, until it is disposed of; the cgroup may be removed before. */
export interface OomWatch extends Disposable {
  /**
   * Checks now. To be called when a process of the container has ended, before that is reported, so that the kill is
   * reported first.
   */
  check(): void
}

/** How a host reports that memory is used up. */
export interface OomSource extends Disposable {
  /** Calls `onChange` when the state of a cgroup may have changed. */
  watch(cgroup: ContainerCgroup, onChange: () => void): Disposable
}

/**
 * Reports when the kernel kills processes of a container because its memory is used up, or would if the OOM killer were
 * not disabled. Several kills at once are reported as one.
 */
export class OomWatcher implements Disposable {
  readonly #source: OomSource
  readonly #onWarning: (message: string, error: unknown) => void

  /** @param onWarning called when a check fails */
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
        this.#onWarning('watching for memory exhaustion', error)
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
