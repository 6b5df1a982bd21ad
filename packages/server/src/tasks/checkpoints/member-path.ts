import type { TarMember } from '@nsbox/diff/archive'
import { NsboxError } from '@nsbox/errors'

/** Most bytes of a component, as in file systems. */
const maxComponent = 255
/** Most nested directories: each parent checkpoint is one deeper. */
const maxDepth = 64

/**
 * Splits the name of a member of a checkpoint into components; none means the archive's root. Names have one character
 * per byte.
 *
 * @throws `invalid_argument` for a name that is absolute, empty or has a NUL, a component that is empty, `.` or `..`
 * other than at its start and end, or more or longer components than images of CRIU have
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

/** The error for a member that no checkpoint has. @param name as bytes */
export function refusedMember(name: string, reason: string): NsboxError {
  const entry = Buffer.from(name, 'latin1').toString('utf8').slice(0, 200)
  return new NsboxError('invalid_argument', `checkpoint entry ${JSON.stringify(entry)}: ${reason}`, {
    details: { entry },
  })
}
