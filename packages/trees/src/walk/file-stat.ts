import { constants } from 'node:fs'
import { stat } from './disk-calls.ts'
import type { DiskCall } from './walk.ts'

const { S_IFMT, S_IFDIR } = constants

/** Of <linux/stat.h>: where struct statx has its fields, in bytes. */
const at = {
  mask: 0,
  links: 16,
  mode: 28,
  inode: 32,
  blocks: 48,
  major: 136,
  minor: 140,
  mount: 144,
} as const
const STATX_MNT_ID = 0x1000

/** The result of the last stat. */
export class FileStat {
  readonly #bytes = new Uint8Array(256)
  readonly #halves = new Uint16Array(this.#bytes.buffer)
  readonly #words = new Uint32Array(this.#bytes.buffer)
  readonly #longs = new BigUint64Array(this.#bytes.buffer)

  /** Stats a name in an open directory, without following links; `.` is the directory itself. */
  look(directory: number, name: string): DiskCall {
    return stat(directory, name, this.#bytes)
  }

  get isDirectory(): boolean {
    return (this.#halves[at.mode / 2]! & S_IFMT) === S_IFDIR
  }

  get links(): number {
    return this.#words[at.links / 4]!
  }

  get inode(): bigint {
    return this.#longs[at.inode / 8]!
  }

  /** Of 512 bytes. */
  get blocks(): number {
    return Number(this.#longs[at.blocks / 8]!)
  }

  /** Identifies the file system, and the mount if the kernel tells it (Linux 5.8). */
  get place(): string {
    const mount = (this.#words[at.mask / 4]! & STATX_MNT_ID) === 0 ? '' : this.#longs[at.mount / 8]
    return `${this.#words[at.major / 4]}:${this.#words[at.minor / 4]}:${mount}`
  }
}
