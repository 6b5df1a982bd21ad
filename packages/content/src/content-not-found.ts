import { NsboxError } from '@nsbox/errors'

/** The text is known to clients of containerd (docs/behaviour.md §1). */
export function contentNotFound(digest: string): NsboxError {
  return new NsboxError('not_found', `content ${digest}`)
}
