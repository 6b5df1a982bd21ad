import type { TarMember } from '@nsbox/diff/archive'
import { NsboxError } from '@nsbox/errors'

/** Bytes of a component, the most that file systems have. */
const maxComponent = 255
/** Directories in directories: each checkpoint that adds to another is one deeper. */
const maxDepth = 64

/**
 * Takes the name of a member of a checkpoint apart; no component means the archive's own root. Bytes are one character
 * each.
 *
 * @throws `invalid_argument` for a name that is absolute, empty or has a NUL, a part that is empty, `.` or `..` other
 * than at its start and end, or more or longer parts than an image of CRIU has
 */
export function memberPath({ entry }: TarMember): readonly string[] {
  const { name } = entry
  if (name === '') throw refusedMember(name, 'an empty name')
  if (name.includes('\0')) throw refusedMember(name, 'a name with a NUL')
  if (name.startsWith('/')) throw refusedMember(name, 'an absolute name')
  // Archives of directories have the root as `.` or `./`, and everything below it.
  const relative = name.replace(/^\.(\/|$)/, '').replace(/\/$/, '')
  if (relative === '') return []
  const path = relative.split('/')
  if (path.length > maxDepth) throw refusedMember(name, `more than ${maxDepth} components`)
  for (const part of path) {
    if (part === '' || part === '.' || part === '..')
      throw refusedMember(name, `a name with the component ${JSON.stringify(part)}`)
    if (part.length > maxComponent)
      throw refusedMember(name, `a component of more than ${maxComponent} bytes`)
  }
  return path
}

/** A member that no checkpoint has. @param name as bytes */
export function refusedMember(name: string, reason: string): NsboxError {
  const entry = Buffer.from(name, 'latin1').toString('utf8').slice(0, 200)
  return new NsboxError('invalid_argument', `checkpoint entry ${JSON.stringify(entry)}: ${reason}`, {
    details: { entry },
  })
}
