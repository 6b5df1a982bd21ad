import type { LeaseResource } from '@nsbox/core/leases'
import { NsboxError } from '@nsbox/errors'
import { isDigest } from '@nsbox/oci'
import { checkNameLength } from './check-name-length.ts'
import type { Kind, Node } from './node.ts'
import { quoted } from './quoted.ts'

/**
 * What a lease's resource names (BEHAVIOUR.md §6).
 * @throws `unimplemented` for an unknown type, `invalid_argument` for a malformed type or id
 */
export function nodeFromResource({ type, id }: LeaseResource): Node {
  checkNameLength(type, 'type of a resource')
  checkNameLength(id, 'id of a resource')
  const slash = type.indexOf('/')
  const kind = slash === -1 ? type : type.slice(0, slash)
  const rest = slash === -1 ? undefined : type.slice(slash + 1)
  switch (kind) {
    case 'content':
      plain(type, rest)
      if (!isDigest(id))
        throw new NsboxError('invalid_argument', `invalid content id ${quoted(id.slice(0, 200))}`)
      return { kind: 'content', id }
    case 'ingests':
      plain(type, rest)
      return { kind: 'ingest', id }
    case 'images':
      plain(type, rest)
      return { kind: 'image', id }
    case 'snapshots':
      if (!rest || rest.includes('/'))
        throw new NsboxError('invalid_argument', `invalid snapshot resource type ${quoted(type)}`)
      return { kind: `snapshot/${rest}`, id }
    default:
      throw new NsboxError('unimplemented', `resource type ${quoted(type.slice(0, 200))} not supported yet`)
  }
}

function plain(type: string, rest: string | undefined): void {
  if (rest !== undefined) throw new NsboxError('invalid_argument', `invalid resource type ${quoted(type)}`)
}

const types: Readonly<Partial<Record<Kind, string>>> = {
  content: 'content',
  ingest: 'ingests',
  image: 'images',
}

/** The other way. */
export function resourceFromNode({ kind, id }: Node): LeaseResource {
  return { type: types[kind] ?? kind.replace(/^snapshot\//, 'snapshots/'), id }
}
