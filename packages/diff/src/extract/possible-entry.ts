import type { FileRights } from '../ownership/file-rights.ts'
import { encodeOwner, ownerAttribute } from '../ownership/recorded-owner.ts'
import { quotedName } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'

/**
 * What can be made of an entry with limited rights. A file or directory of an owner that it cannot be given to belongs
 * to this process, and has that owner in an attribute, which comparing reads. Symbolic links and FIFOs cannot have such
 * attributes. A device becomes an empty file, as umoci makes it. An ordinary user keeps the right to read and remove
 * what is made.
 *
 * @param skip called with descriptions of what is lost
 */
export function possibleEntry(entry: TarEntry, rights: FileRights, skip: (what: string) => void): TarEntry {
  if (entry.type === 'hardlink') return entry
  const { name } = entry
  let possible = entry
  if (entry.type === 'character' || entry.type === 'block') {
    skip(`device ${quotedName(name)}`)
    possible = { ...entry, type: 'file', size: 0, major: 0, minor: 0 }
  }
  if (possible.type === 'file' || possible.type === 'directory') {
    const mode = possible.mode | rights.keptMode[possible.type]
    if (mode !== possible.mode) {
      skip(`mode ${possible.mode.toString(8)} of ${quotedName(name)}`)
      possible = { ...possible, mode }
    }
  }
  const canRecord = possible.type === 'file' || possible.type === 'directory'
  const given = rights.canGive(entry)
  // One in the layer itself would be taken for ours.
  const forged = possible.xattrs.has(ownerAttribute)
  if (given && !forged) return possible
  const xattrs = new Map(possible.xattrs)
  xattrs.delete(ownerAttribute)
  if (given) return { ...possible, xattrs }
  if (canRecord) xattrs.set(ownerAttribute, encodeOwner(entry))
  else skip(`owner ${entry.uid}:${entry.gid} of ${quotedName(name)}`)
  return { ...possible, ...rights.own, xattrs }
}
