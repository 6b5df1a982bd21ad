import { ByteBudget } from '@nsbox/core/byte-budget'
import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'

/**
 * Bytes of the directories of a layer that only names imply: a database keeps them until the snapshot is committed, and
 * there they are one value.
 */
const maxImplied = 8 * 1024 * 1024

/** Counts what is kept in memory of a layer until its end. */
export class KeptBytes {
  readonly budget: ByteBudget

  /** @param limit most bytes */
  constructor(limit: number) {
    this.budget = new ByteBudget('names in the layer', limit)
  }

  /** An entry's name: all of it, since the last component keeps it in memory. */
  entry({ name }: TarEntry): void {
    this.budget.take(name.length)
  }

  /** A directory, with the entry that describes it if one does. */
  directory(path: readonly ByteString[], entry?: TarEntry): void {
    this.budget.take(pathBytes(path) + (entry === undefined ? 0 : bytesBesidesName(entry)))
  }
}

/** The names of directories that are handed on for all the life of a snapshot. @throws `resource_exhausted` beyond 8 MiB */
export function impliedNames(paths: Iterable<readonly ByteString[]>): ByteString[] {
  const budget = new ByteBudget('directories that no entry of the layer describes', maxImplied)
  const names: ByteString[] = []
  for (const path of paths) {
    const name = path.join('/')
    budget.take(name.length)
    names.push(name)
  }
  return names
}

function pathBytes(path: readonly ByteString[]): number {
  return path.reduce((bytes, component) => bytes + component.length + 8, 0)
}

function bytesBesidesName({ linkName, xattrs }: TarEntry): number {
  let bytes = linkName.length
  for (const [attribute, value] of xattrs) bytes += attribute.length + value.byteLength
  return bytes
}
