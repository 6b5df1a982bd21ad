// Node 20 has it; TypeScript's library declares it from ES2024 on only.
const { waitAsync } = Atomics as unknown as {
  waitAsync(words: Int32Array, index: number, value: number, timeout: number): { value: unknown }
}

/** The state of a growing file. */
export interface GrowingState {
  /** Bytes that may be read. */
  readonly offset: number
  /** Changes with each restart, which discards what was written before. */
  readonly generation: number
  readonly state: 'growing' | 'complete' | 'failed'
}

/** Lets a thread follow a growing file; plain data. */
export interface GrowingHandle {
  readonly shared: SharedArrayBuffer
  readonly generation: number
}

const states = ['growing', 'complete', 'failed'] as const
// Int32 words: a count of changes to wait on, the generation, the state. Then the offset as a BigInt64.
const changes = 0
const generation = 1
const state = 2
const size = 24

/**
 * Publishes how far a file has been written, in memory shared with the threads that read it. The writer's side; there
 * is one writer.
 */
export class GrowingFile {
  readonly #shared = new SharedArrayBuffer(size)
  readonly #words = new Int32Array(this.#shared, 0, 4)
  readonly #offset = new BigInt64Array(this.#shared, 16, 1)

  /** @param offset bytes that the file has already, as when a download is resumed */
  constructor(offset = 0) {
    Atomics.store(this.#offset, 0, BigInt(offset))
  }

  /**
   * A handle for a reader. It is for the file as it is now: after a `restart` the reader fails, even if it begins
   * later.
   */
  handle(): GrowingHandle {
    return { shared: this.#shared, generation: Atomics.load(this.#words, generation) }
  }

  /** Publishes the number of bytes that the file has now. */
  advance(offset: number): void {
    Atomics.store(this.#offset, 0, BigInt(offset))
    this.#announce()
  }

  /** Publishes that the file was truncated and starts again. Its readers fail. */
  restart(): void {
    Atomics.add(this.#words, generation, 1)
    Atomics.store(this.#offset, 0, 0n)
    this.#announce()
  }

  /** Publishes that the file is complete. */
  complete(): void {
    Atomics.store(this.#words, state, states.indexOf('complete'))
    this.#announce()
  }

  /** Publishes that the file will never be complete. */
  fail(): void {
    Atomics.store(this.#words, state, states.indexOf('failed'))
    this.#announce()
  }

  #announce(): void {
    Atomics.add(this.#words, changes, 1)
    Atomics.notify(this.#words, changes)
  }
}

/** The reader's side of a `GrowingFile`. */
export class GrowingFileView {
  readonly #words: Int32Array
  readonly #offset: BigInt64Array

  constructor({ shared }: GrowingHandle) {
    this.#words = new Int32Array(shared, 0, 4)
    this.#offset = new BigInt64Array(shared, 16, 1)
  }

  read(): GrowingState {
    // The state is read first: the last offset is published before the file is said to be complete.
    const current = states[Atomics.load(this.#words, state)]!
    const offset = Number(Atomics.load(this.#offset, 0))
    return { state: current, offset, generation: Atomics.load(this.#words, generation) }
  }

  /**
   * Waits until the state may differ from the one that `isStale` was false for, but never longer than `milliseconds`.
   * @param isStale checked after the wait has been armed, so that no change is missed
   */
  async change(isStale: () => boolean, milliseconds: number): Promise<void> {
    const seen = Atomics.load(this.#words, changes)
    if (isStale()) return
    await waitAsync(this.#words, changes, seen, milliseconds).value
  }
}
