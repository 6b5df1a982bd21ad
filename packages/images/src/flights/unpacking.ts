import type { Digest } from '@nsbox/oci'
import type { Arrival } from './arrival.ts'

/** A layer that is being unpacked, for others that need the same snapshot. */
export class Unpacking {
  /** Of the layer's blob; another one of the same diff id may take longer to unpack. */
  readonly layer: Digest
  /** Set while its commit waits for that of the layer below. */
  waitsForBelow = false
  readonly #arrival: Arrival | undefined

  /** @param arrival of the blob, if it is read while it arrives */
  constructor(layer: Digest, arrival: Arrival | undefined) {
    this.layer = layer
    this.#arrival = arrival
  }

  /** Whether it progresses with bytes on this host. How long it waits for others depends on a registry. */
  get isGoingOn(): boolean {
    return !this.waitsForBelow && (this.#arrival === undefined || this.#arrival.state.kind === 'there')
  }
}
