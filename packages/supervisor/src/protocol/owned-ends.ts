import { closeSync } from 'node:fs'
import type { Ends, Role } from './roles.ts'

/** Descriptors by their roles, which are closed with their owner. */
export class OwnedEnds {
  readonly #ends: Map<Role, number>

  constructor(ends: Ends = new Map()) {
    this.#ends = new Map(ends)
  }

  get all(): Ends {
    return this.#ends
  }

  get(role: Role): number | undefined {
    return this.#ends.get(role)
  }

  /** Owns a descriptor from now on. @returns it */
  add(role: Role, fd: number): number {
    this.close(role)
    this.#ends.set(role, fd)
    return fd
  }

  /** Closes a descriptor. @returns whether there was one */
  close(role: Role): boolean {
    const fd = this.#ends.get(role)
    if (fd === undefined) return false
    this.#ends.delete(role)
    closeSync(fd)
    return true
  }

  /** Gives a descriptor to the caller, who closes it. */
  take(role: Role): number | undefined {
    const fd = this.#ends.get(role)
    this.#ends.delete(role)
    return fd
  }

  /** Gives all of them to the caller. */
  takeAll(): Ends {
    const ends = new Map(this.#ends)
    this.#ends.clear()
    return ends
  }

  closeAll(): void {
    for (const role of [...this.#ends.keys()]) this.close(role)
  }
}
