/** Slots of an empty set. */
const smallest = 1024

/** A bounded set of inode numbers, with 16 to 32 bytes for each. */
export class InodeSet {
  readonly #most: number
  /** Open addressing: each number is at the first free slot from its own on. No inode has the number 0. */
  #slots = new BigUint64Array(smallest)
  #size = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @returns `new` if it was added, `known` if it was there, `full` if it was not and there is no room for it */
  add(inode: bigint): 'new' | 'known' | 'full' {
    const slot = slotOf(this.#slots, inode)
    if (this.#slots[slot] === inode) return 'known'
    if (this.#size >= this.#most) return 'full'
    this.#slots[slot] = inode
    this.#size += 1
    if (this.#size * 2 > this.#slots.length) this.#grow()
    return 'new'
  }

  #grow(): void {
    const more = new BigUint64Array(this.#slots.length * 2)
    for (const inode of this.#slots) if (inode !== 0n) more[slotOf(more, inode)] = inode
    this.#slots = more
  }
}

function slotOf(slots: BigUint64Array, inode: bigint): number {
  const mask = slots.length - 1
  // Inode numbers are often consecutive; the multiplication spreads them (Knuth, TAOCP 6.4).
  let slot = Math.imul(Number(BigInt.asUintN(32, inode ^ (inode >> 32n))), 0x9e3779b1) & mask
  while (slots[slot] !== 0n && slots[slot] !== inode) slot = (slot + 1) & mask
  return slot
}
