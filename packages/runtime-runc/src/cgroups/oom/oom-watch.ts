import type { ContainerCgroup } from '../container-cgroup.ts'
import { OomCounter } from './oom-counter.ts'

/** The watch for one container; disposing of it ends it, whether the cgroup is still there or not. */
export interface OomWatch extends Disposable {
  /**
   * Looks now. To be called when a process of the container has ended, before that is told, so that what killed it is
   * told first.
   */
  check(): void
}

/** What a host's way to tell of a lack of memory has to do. */
export interface OomSource extends Disposable {
  /** Calls `onChange` when there may be news of a cgroup. */
  watch(cgroup: ContainerCgroup, onChange: () => void): Disposable
}

/**
 * Tells when the kernel kills processes of a container because its memory is used up, or would but may not.
 * Several kills at once are told as one.
 */
export class OomWatcher implements Disposable {
  readonly #source: OomSource
  readonly #onWarning: (message: string, error: unknown) => void

  /** @param onWarning told of what nobody waits for: a look that failed */
  constructor(source: OomSource, onWarning: (message: string, error: unknown) => void) {
    this.#source = source
    this.#onWarning = onWarning
  }

  /**
   * Watches a container. Kills from before are not told. Without a controller for memory nothing ever is.
   */
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
