import type { ByteString } from '../tar/byte-string.ts'
import { refused, tooMuch } from '../tar/tar-error.ts'
import { nameLimits } from './name-limits.ts'
import { whiteoutPrefix } from './whiteout.ts'

/**
 * Splits a name of an archive into components below the layer's root, without empty ones, `.` and `..`. A leading slash
 * means the root. No component means the root itself.
 *
 * @param entry the entry's name, for the error
 * @param name the same, or the target of a hard link
 * @throws `invalid_argument` for an empty name, one with a NUL, or one that climbs above the root at any point;
 * `resource_exhausted` beyond the limits
 */
export function entryPath(entry: ByteString, name: ByteString): readonly ByteString[] {
  if (name === '') throw refused(entry, 'an empty name')
  if (name.includes('\0')) throw refused(entry, 'a name with a NUL')
  if (name.length > nameLimits.name) throw tooMuch(entry, `a name of more than ${nameLimits.name} bytes`)
  const path: ByteString[] = []
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue
    if (component === '..') {
      if (path.pop() === undefined) throw refused(entry, 'a name that leads out of the layer')
      continue
    }
    // A whiteout's name is longer than the name that it removes, and is never created.
    const length = component.startsWith(whiteoutPrefix)
      ? component.length - whiteoutPrefix.length
      : component.length
    if (length > nameLimits.component)
      throw tooMuch(entry, `a component of more than ${nameLimits.component} bytes`)
    path.push(component)
    if (path.length > nameLimits.depth) throw tooMuch(entry, `more than ${nameLimits.depth} components`)
  }
  return path
}
