import { NsboxError } from '@nsbox/errors'

/** The id of a container. @throws `invalid_argument` with containerd's words if there is none */
export function requireId(id: string | undefined): string {
  if (!id) throw new NsboxError('invalid_argument', 'container id must be provided')
  return id
}
