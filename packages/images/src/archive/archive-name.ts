/** Most characters of a name or link in an archive: Linux's limit for a path (path_resolution(7)). */
export const maxArchiveName = 4096

/**
 * The normal form of a name in an archive: relative, without empty parts, `.` and `..`. It identifies an entry and is
 * never used as a path of a file system.
 *
 * @returns undefined for a name that leads out of the archive, and for the archive's own root
 */
export function archiveName(name: string): string | undefined {
  const parts: string[] = []
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.length === 0 ? undefined : parts.join('/')
}

/** The name that a symbolic link leads to, as `archiveName`; an absolute one starts at the archive's root. */
export function linkedName(link: string, target: string): string | undefined {
  return archiveName(target.startsWith('/') ? target : `${link}/../${target}`)
}
