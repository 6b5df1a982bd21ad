import { ByteBudget } from '@nsbox/core/byte-budget'
import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'

/** Most bytes of the names of implied directories, which a database stores as one value until the snapshot's commit. */
const maxImplied = 8 * 1024 * 1024

/** Counts the bytes of a layer that are kept in memory until its end. */
export class KeptBytes {
  readonly budget: ByteBudget

  /** @param limit most bytes */
  constructor(limit: number) {
    this.budget = new ByteBudget('names in the layer', limit)
  }

  /** Counts an entry's whole name, since its last component keeps it in memory. */
  entry({ name }: TarEntry): void {
    this.budget.take(name.length)
  }

  /** Counts a directory, with its entry if there is one. */
  directory(path: readonly ByteString[], entry?: TarEntry): void {
    this.budget.take(pathBytes(path) + (entry === undefined ? 0 : bytesBesidesName(entry)))
  }
}

/** Counts the names of implied directories, kept with the snapshot. @throws `resource_exhausted` beyond 8 MiB */
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
