import type { Backlog } from './backlog.ts'
import type { Frame } from './frame.ts'

interface Waiting {
  readonly frame: Frame
  readonly held: Disposable
}

/** The frames of one stream that have come and have not been taken, in order. For one consumer. */
export class Inbox implements Disposable {
  readonly #backlog: Backlog
  readonly #waiting: Waiting[] = []
  #end: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(backlog: Backlog) {
    this.#backlog = backlog
  }

  /** Does nothing after the end. */
  push(frame: Frame): void {
    if (this.#end !== undefined) return
    this.#waiting.push({ frame, held: this.#backlog.add(frame.data) })
    this.#wake?.()
  }

  /** Ends it after the frames that have come. */
  close(): void {
    this.#end ??= {}
    this.#wake?.()
  }

  /** Ends it with an error, after the frames that have come. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wake?.()
  }

  /** Drops the frames that have come, and takes no more. */
  [Symbol.dispose](): void {
    for (const { held } of this.#waiting.splice(0)) held[Symbol.dispose]()
    this.close()
  }

  /** The next frame; undefined at the end. @throws the error that has ended it */
  async take(): Promise<Frame | undefined> {
    for (;;) {
      const next = this.#waiting.shift()
      if (next !== undefined) {
        next.held[Symbol.dispose]()
        return next.frame
      }
      if (this.#end !== undefined) {
        if ('error' in this.#end) throw this.#end.error
        return undefined
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }
}
