import { posix } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { quoted } from '../quoted.ts'

// Names in /proc and /dev that stand for what a process has open or where it is. The runtime's own processes pass
// through the container's file system before the program runs, and with them what they hold of the host's (CVE-2024-21626).
const leadsOut = /^\/(?:proc\/(?:self|thread-self|[0-9]+)|dev\/(?:fd|stdin|stdout|stderr))(?:\/|$)/

/**
 * Refuses a working directory that is not absolute, has control characters, or names a way into another process's
 * directories (docs/threat-model.md B18). A symbolic link of the image's may still lead there; that is the runtime's to
 * notice.
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
