import type { LeaseResource } from '@nsbox/core/leases'
import { checkNameLength } from '@nsbox/core/names'
import { NsboxError, quoted } from '@nsbox/errors'
import { isDigest } from '@nsbox/oci'
import type { Kind, Node } from '../database/node.ts'

/**
 * The object of a lease's resource (docs/behaviour.md §6).
 * @throws `unimplemented` for an unknown type, `invalid_argument` for a malformed type or id
 */
export function nodeFromResource({ type, id }: LeaseResource): Node {
  checkNameLength('type of a resource', type)
  checkNameLength('id of a resource', id)
  const slash = type.indexOf('/')
  const kind = slash === -1 ? type : type.slice(0, slash)
  const rest = slash === -1 ? undefined : type.slice(slash + 1)
  switch (kind) {
    case 'content':
      plain(type, rest)
      if (!isDigest(id)) throw new NsboxError('invalid_argument', `invalid content id ${quoted(id)}`)
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
      throw new NsboxError('unimplemented', `resource type ${quoted(type)} not supported yet`)
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

/** The inverse of `nodeFromResource`. */
export function resourceFromNode({ kind, id }: Node): LeaseResource {
  return { type: types[kind] ?? kind.replace(/^snapshot\//, 'snapshots/'), id }
}
