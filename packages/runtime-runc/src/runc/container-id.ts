import { NsboxError } from '@nsbox/errors'

/**
 * Refuses an id that the runtime could take for an option or a path. The caller checks the rest.
 *
 * @throws invalid_argument
 */
export function checkContainerId(id: string): string {
  if (/^[\w+.][\w+.-]*$/.test(id) && id !== '.' && id !== '..') return id
  throw new NsboxError('invalid_argument', `container id ${JSON.stringify(id)}`)
}
