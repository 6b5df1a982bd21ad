import { posix } from 'node:path'
import { NsboxError, quoted } from '@nsbox/errors'

// Names in /proc and /dev that lead to what a process has open, or to its directories. The runtime's own processes are
// in the container's file system before the program runs, with descriptors of the host (CVE-2024-21626).
const leadsOut = /^\/(?:proc\/(?:self|thread-self|[0-9]+)|dev\/(?:fd|stdin|stdout|stderr))(?:\/|$)/

/**
 * Refuses a working directory that is not absolute, has control characters, or leads to another process's directories
 * (docs/threat-model.md B18). A symbolic link of the image may still lead there; the runtime has to check that.
 *
 * @param field what the path was called, for the error
 * @throws `invalid_argument`
 */
export function assertWorkingDirectory(path: string, field: string): void {
  const refuse = (why: string): NsboxError =>
    new NsboxError('invalid_argument', `${field}: ${quoted(path)} ${why}`)
  if (!path.startsWith('/')) throw refuse('is not absolute')
  if (/\p{Cc}/u.test(path)) throw refuse('has control characters')
  if (leadsOut.test(posix.normalize(path))) throw refuse('is not a directory of the container')
}
