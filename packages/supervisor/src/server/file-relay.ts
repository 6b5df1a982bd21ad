import { constants, fstatSync, openSync } from 'node:fs'
import { KeyedMutex } from '@nsbox/concurrency'
import { type SpliceResult, spliceNow, spliceToFile } from '@nsbox/sys/descriptors'
import type { Relay, RelayOptions } from './relay.ts'

const pieceSize = 1024 * 1024

/** Locks of files that are appended to, by device and inode: several relays may share one. */
const appending = new KeyedMutex()

let nothing: number | undefined

/**
 * Appends the data of a pipe to a file. No byte enters this process here either. The kernel does not splice to a file
 * that is open for appending, so each piece is written at the current end of the file, one piece at a time.
 */
export class FileRelay implements Relay {
  readonly #options: RelayOptions
  readonly #file: string
  #stopped = false
  /** A thread may use the descriptors. */
  #underWay: Promise<unknown> | undefined

  constructor(options: RelayOptions) {
    this.#options = options
    const { dev, ino } = fstatSync(options.to)
    this.#file = `${dev}:${ino}`
  }

  pump(): void {
    // A running piece asks for the next one itself.
    if (!this.#stopped && this.#underWay === undefined) void this.#pump()
  }

  stop(): Promise<unknown> | undefined {
    this.#stopped = true
    this.#options.watcher.forget(this.#options.from)
    return this.#underWay
  }

  async #pump(): Promise<void> {
    const { watcher, from, onEnd } = this.#options
    for (;;) {
      // A full disk takes nothing. The process must not block for that, and later output may fit again.
      const append = this.#append().catch(() => this.#discard())
      this.#underWay = append
      const result = await append
      this.#underWay = undefined
      if (this.#stopped) return
      if (result === 'again') {
        watcher.once(from, 'read', () => this.pump())
        return
      }
      if (typeof result === 'string') {
        void this.stop()
        onEnd(result)
        return
      }
    }
  }

  #discard(): SpliceResult {
    if (this.#stopped) return 'closed'
    nothing ??= openSync('/dev/null', constants.O_WRONLY)
    return spliceNow(this.#options.from, nothing, pieceSize)
  }

  async #append(): Promise<SpliceResult> {
    const { from, to } = this.#options
    return await appending.run(this.#file, async () => {
      // Since then the descriptors may have been closed, and their numbers reused.
      return this.#stopped ? 'closed' : await spliceToFile(from, to, fstatSync(to).size, pieceSize)
    })
  }
}
