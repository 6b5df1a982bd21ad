import { closeSync, fstatSync, openSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { linuxFunction, succeeded } from '../linux-function.ts'

const CLONE_NEWUTS = 0x04000000

const setns = linuxFunction('int setns(int fd, int type)')
const sethostname = linuxFunction('int sethostname(const uint8_t *name, size_t length)')

/**
 * Names the host for all that are in another UTS namespace (sethostname(2)). For the time of the call, in which nothing
 * else happens, the calling thread is in that namespace (setns(2)).
 *
 * @param namespace a descriptor of `/proc/<pid>/ns/uts`
 * @param name at most 64 bytes
 * @throws `invalid_argument` if the namespace is that of this process; `permission_denied` where this thread may not go
 * there, or would not be let back
 */
export function setHostname(namespace: number, name: string): void {
  const own = openSync('/proc/thread-self/ns/uts', 'r')
  try {
    if (fstatSync(own).ino === fstatSync(namespace).ino)
      throw new NsboxError('invalid_argument', 'the UTS namespace is that of this process')
    // Who may enter the own one from here may also come back to it.
    succeeded('setns', setns(own, CLONE_NEWUTS))
    succeeded('setns', setns(namespace, CLONE_NEWUTS))
    const bytes = new TextEncoder().encode(name)
    const result = sethostname(bytes, bytes.length)
    succeeded('setns', setns(own, CLONE_NEWUTS))
    succeeded('sethostname', result)
  } finally {
    closeSync(own)
  }
}
