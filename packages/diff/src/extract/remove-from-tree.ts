import { DirectoryReader, removeEntry, walkNow } from '@nsbox/trees/walk'
import { type ByteString, quotedName } from '../tar/byte-string.ts'

/**
 * Removes a name in an open directory, with everything below it. Symbolic links are removed, not followed, and mounts
 * in it are not touched.
 *
 * @param entry of the layer, for errors
 */
export function removeFromTree(directory: number, name: ByteString, entry: ByteString): void {
  walkNow(removeEntry(directory, name, `layer entry ${quotedName(entry)}`))
}

/** Whether an open directory has no names. */
export function isEmpty(fd: number): boolean {
  for (const _ of namesIn(fd)) return false
  return true
}

/** The names in an open directory, as bytes. Names that it has yielded may be removed meanwhile. */
export function* namesIn(fd: number): Generator<ByteString> {
  using reader = new DirectoryReader(fd, 0n)
  for (let entry = walkNow(reader.next()); entry !== undefined; entry = walkNow(reader.next()))
    yield entry.name
}
