import { ftruncateSync, writeSync } from 'node:fs'
import type { SparsePiece, TarEntry } from '../tar/tar-entry.ts'
import { failedEntry } from './file-result.ts'

/** Writes the content of one file, and the pieces of a sparse file at their offsets. */
export class ContentWriter {
  readonly fd: number
  readonly entry: TarEntry
  /** Whether the file has its owner and mode already. */
  readonly given: boolean
  #piece = 0
  #written = 0

  constructor(fd: number, entry: TarEntry, given: boolean) {
    this.fd = fd
    this.entry = entry
    this.given = given
  }

  write(bytes: Buffer): void {
    try {
      if (this.entry.sparse === undefined) writeFully(this.fd, bytes, null)
      else this.#scatter(bytes, this.entry.sparse)
    } catch (error) {
      throw failedEntry(error, this.entry.name)
    }
  }

  /** Gives a sparse file its size, which may end with a hole. */
  finish(): void {
    if (this.entry.sparse === undefined) return
    try {
      ftruncateSync(this.fd, this.entry.size)
    } catch (error) {
      throw failedEntry(error, this.entry.name)
    }
  }

  #scatter(bytes: Buffer, pieces: readonly SparsePiece[]): void {
    let at = 0
    while (at < bytes.length) {
      const piece = pieces[this.#piece]!
      const part = bytes.subarray(at, at + piece.length - this.#written)
      if (part.length > 0) writeFully(this.fd, part, piece.offset + this.#written)
      at += part.length
      this.#written += part.length
      if (this.#written < piece.length) continue
      this.#piece += 1
      this.#written = 0
    }
  }
}

function writeFully(fd: number, bytes: Buffer, position: number | null): void {
  let done = 0
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done)
  }
}
