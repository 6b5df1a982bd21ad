import { closeSync, fstatSync, openSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { CFunction } from '../c-function.ts'

/** Kinds of namespaces that a thread may enter and leave, and what setns(2) calls them. */
const types = { uts: 0x04000000, net: 0x40000000 } as const

const setns = new CFunction('int setns(int fd, int type)')

/**
 * Makes a call with the calling thread in another namespace (setns(2)), in which nothing else happens meanwhile.
 *
 * @param namespace a descriptor of `/proc/<pid>/ns/<kind>`
 * @returns what the call gave
 * @throws `invalid_argument` if the namespace is that of this process; `permission_denied` where this thread may not go
 * there, or would not be let back
 */
export function inNamespace(kind: keyof typeof types, namespace: number, call: () => number): number {
  const own = openSync(`/proc/thread-self/ns/${kind}`, 'r')
  const type = types[kind]
  try {
    if (fstatSync(own).ino === fstatSync(namespace).ino)
      throw new NsboxError('invalid_argument', `the ${kind.toUpperCase()} namespace is that of this process`)
    // A thread that may enter its own namespace may also come back to it.
    setns.callOrThrow(own, type)
    setns.callOrThrow(namespace, type)
    try {
      return call()
    } finally {
      setns.callOrThrow(own, type)
    }
  } finally {
    closeSync(own)
  }
}
