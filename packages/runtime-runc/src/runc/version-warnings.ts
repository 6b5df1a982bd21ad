import { setTimeout as sleep } from 'node:timers/promises'
import type { Runc } from './runc.ts'
import { versionWarning } from './runtime-version.ts'

/** Milliseconds after the first use of a program until it is asked, when nobody waits for its container. */
const delay = 1_000
/** How many programs are asked: clients may name any number. */
const most = 16

/** Warns, once for each program, of a runtime whose version has known escapes (docs/threat-model.md D12). */
export class VersionWarnings implements AsyncDisposable {
  readonly #onWarning: (message: string) => void
  readonly #used = new Set<string | undefined>()
  readonly #leaving = new AbortController()
  #asking: Promise<void> = Promise.resolve()

  constructor(onWarning: (message: string) => void) {
    this.#onWarning = onWarning
  }

  /** Notes that a program has been used. */
  used(runc: Runc): void {
    const { binary } = runc.options
    if (this.#used.size === most || this.#used.has(binary)) return
    this.#used.add(binary)
    this.#asking = this.#asking.then(() => this.#ask(runc))
  }

  async #ask(runc: Runc): Promise<void> {
    const { signal } = this.#leaving
    try {
      await sleep(delay, undefined, { signal, ref: false })
      const warning = versionWarning(await runc.version({ signal }))
      if (warning !== undefined) this.#onWarning(warning)
    } catch {
      // A wrapper need not print a version. A program that is asked while this is disposed of causes no warning.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort()
    await this.#asking
  }
}
