import { NsboxError } from '@nsbox/errors'

/** For what needs system calls of Linux. @throws `unimplemented` on another system, naming it */
export function requireLinux(what: string): void {
  if (process.platform !== 'linux') throw new NsboxError('unimplemented', `${what} on ${process.platform}`)
}
