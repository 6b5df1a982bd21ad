import { NsboxError } from '@nsbox/errors'
import type { SystemCalls } from './system-calls.ts'

/** The system calls of a platform that nsbox does not know: every one throws `unimplemented`. */
export const unsupported: SystemCalls = {
  flock: () => missing('flock'),
}

function missing(name: string): never {
  throw new NsboxError('unimplemented', `${name} on ${process.platform}`)
}
