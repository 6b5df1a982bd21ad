import { abortable, type Deferred, deferred } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { GrowingFile } from '@nsbox/diff/growing-file'
import type { Digest } from '@nsbox/oci'
import { Pace } from './pace.ts'

/**
 * The state of a blob that is fetched into a store: not begun; its bytes are written to an ingest, which had `from`
 * bytes before; they come too slowly to be followed; it is committed, and so verified.
 *
 * @internal users of the package need not have the file that grows
 */
export type ArrivalState =
  | { readonly kind: 'awaited' }
  | {
      readonly kind: 'arriving'
      readonly ref: string
      readonly from: number
      readonly growing: GrowingFile
      readonly pace: Pace
    }
  | { readonly kind: 'dripping' }
  | { readonly kind: 'there' }

/** A blob that is fetched into a store: its download reports, its readers wait. */
export class Arrival {
  #state: ArrivalState = { kind: 'awaited' }
  #changed: Deferred<void> = deferred()

  /** A new object after each change. @internal */
  get state(): ArrivalState {
    return this.#state
  }

  /** Reports that an ingest is open which has `from` bytes of `size` already. */
  begin(ref: string, { from, size }: { from: number; size: number }): void {
    this.#become({ kind: 'arriving', ref, from, growing: new GrowingFile(from), pace: new Pace(size, from) })
  }

  /** Reports the number of bytes in the ingest. */
  advance(offset: number): void {
    if (this.#state.kind !== 'arriving') return
    this.#state.growing.advance(offset)
    this.#state.pace.advance(offset)
  }

  /** Ends the following of a slow ingest: its readers then wait for the whole blob. */
  dropIfSlow(): void {
    if (this.#state.kind !== 'arriving' || this.#state.pace.isBrisk) return
    this.#state.growing.fail()
    this.#become({ kind: 'dripping' })
  }

  /** Reports that the bytes so far are void, and may be fetched again. */
  void(): void {
    if (this.#state.kind === 'arriving') this.#state.growing.fail()
    if (this.#state.kind !== 'there') this.#become({ kind: 'awaited' })
  }

  /** Reports that the blob is committed. */
  finish(): void {
    if (this.#state.kind === 'arriving') this.#state.growing.complete()
    this.#become({ kind: 'there' })
  }

  /** Waits until the state differs from `seen`. @internal */
  async changed(seen: ArrivalState, options: AbortOptions = {}): Promise<void> {
    while (this.#state === seen) await abortable(this.#changed.promise, options)
  }

  /** Waits until the blob is committed. */
  async there(options: AbortOptions = {}): Promise<void> {
    while (this.#state.kind !== 'there') await this.changed(this.#state, options)
  }

  #become(state: ArrivalState): void {
    this.#state = state
    const { resolve } = this.#changed
    this.#changed = deferred()
    resolve()
  }
}

/** The blobs of one fetch. */
export class Arrivals {
  readonly #blobs = new Map<Digest, Arrival>()
  #closed = false

  of(digest: Digest): Arrival {
    let arrival = this.#blobs.get(digest)
    if (arrival === undefined) {
      arrival = new Arrival()
      if (this.#closed) arrival.finish()
      this.#blobs.set(digest, arrival)
    }
    return arrival
  }

  /** Reports that no other blob is coming: readers that still wait look into the store. */
  close(): void {
    this.#closed = true
    for (const arrival of this.#blobs.values()) {
      // A blob that is incomplete now will never be complete: its reader must not take a part for the whole.
      arrival.void()
      if (arrival.state.kind !== 'there') arrival.finish()
    }
  }
}
