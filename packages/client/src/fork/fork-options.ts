import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { validateIdentifier } from '@nsbox/namespaces'
import type { StdioOptions } from '../task/stdio-options.ts'

/** Most copies that one fork makes. */
const maxCount = 1000

/** How to fork a container. */
export interface ForkOptions extends AbortOptions {
  /** How many copies to make, 1 to 1000; 1 by default. */
  readonly count?: number | undefined
  /** The start of the copies' ids, before their numbers from 1; the container's id and a hyphen by default. */
  readonly prefix?: string | undefined
  /** What becomes of a copy's standard streams, by its id; by default its input is empty and its output ignored. */
  readonly stdio?: ((id: string) => StdioOptions) | undefined
  /**
   * A directory on the disk of the server's host, in which the memory of the container lies until all copies run; that
   * for temporary files by default. It takes as many bytes as the container has written to its memory.
   */
  readonly directory?: string | undefined
  /** How many copies are made at a time; twice as many as there are processors by default. */
  readonly atOnce?: number | undefined
}

/** The ids of the copies. @throws `invalid_argument` for malformed numbers and identifiers */
export function copyIds(source: string, { count = 1, prefix = `${source}-` }: ForkOptions): string[] {
  if (!Number.isInteger(count) || count < 1 || count > maxCount)
    throw new NsboxError('invalid_argument', `number of copies ${count}, not 1 to ${maxCount}`)
  const ids = Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
  for (const id of ids) validateIdentifier(id)
  return ids
}
