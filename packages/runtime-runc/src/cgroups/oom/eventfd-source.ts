import { closeSync, constants, existsSync, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isReady, makeEventfd, makeWatchSet, watchOnce } from '@nsbox/sys/descriptors'
import type { ContainerCgroup } from '../container-cgroup.ts'
import type { OomSource } from './oom-watch.ts'

/** Milliseconds between polls. */
const interval = 250
/** Polls after an event that tell of a change as well: the kernel counts a kill only after it has told of it. */
const lookAgain = 8

/**
 * Cgroup v1: the kernel adds to a counter when memory is used up (cgroup v1, "memory.oom_control"). Node.js cannot wait
 * for such a descriptor, and waiting would occupy a thread of the pool. So a timer polls all counters with one system
 * call, while there are any.
 */
export class EventfdSource implements OomSource {
  readonly #watched = new Map<number, { readonly onChange: () => void; looks: number }>()
  #set: number | undefined
  #timer: NodeJS.Timeout | undefined

  watch(cgroup: ContainerCgroup, onChange: () => void): Disposable {
    const directory = cgroup.directory('memory')
    // Real-time kernels have no such events.
    if (directory === undefined || !existsSync(join(directory, 'cgroup.event_control')))
      return { [Symbol.dispose]() {} }
    const counter = makeEventfd()
    try {
      register(directory, counter)
      this.#set ??= makeWatchSet()
      watchOnce(this.#set, counter, ['read'], false)
    } catch (error) {
      closeSync(counter)
      throw error
    }
    this.#watched.set(counter, { onChange, looks: 0 })
    this.#timer ??= setInterval(() => this.#look(), interval).unref()
    return { [Symbol.dispose]: () => this.#forget(counter) }
  }

  [Symbol.dispose](): void {
    for (const counter of [...this.#watched.keys()]) this.#forget(counter)
    if (this.#set !== undefined) closeSync(this.#set)
    this.#set = undefined
  }

  #forget(counter: number): void {
    if (!this.#watched.delete(counter)) return
    closeSync(counter)
    if (this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    if (this.#set === undefined) return
    const isAnyReady = isReady(this.#set, 'read')
    for (const [counter, watched] of [...this.#watched]) {
      // A change of another container may have ended its watch.
      if (!this.#watched.has(counter)) continue
      if (isAnyReady && isReady(counter, 'read')) {
        readSync(counter, new BigUint64Array(1))
        watchOnce(this.#set, counter, ['read'], true)
        watched.looks = 1 + lookAgain
      }
      if (watched.looks === 0) continue
      watched.looks -= 1
      watched.onChange()
    }
  }
}

function register(directory: string, counter: number): void {
  const control = openSync(join(directory, 'memory.oom_control'), constants.O_RDONLY)
  try {
    writeFileSync(join(directory, 'cgroup.event_control'), `${counter} ${control}`, { flag: 'r+' })
  } finally {
    closeSync(control)
  }
}
