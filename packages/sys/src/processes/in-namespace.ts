import { closeSync, fstatSync, openSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { linuxFunction, succeeded } from '../linux-function.ts'

/** Kinds of namespaces that a thread may enter and leave, and what setns(2) calls them. */
const types = { uts: 0x04000000, net: 0x40000000 } as const

const setns = linuxFunction('int setns(int fd, int type)')

/**
 * Makes a call with the calling thread in another namespace (setns(2)), in which nothing else happens meanwhile.
 *
 * @param namespace a descriptor of `/proc/<pid>/ns/<kind>`
 * @param call gives the negated errno where it fails, and throws nothing
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
    // Who may enter the own one from here may also come back to it.
    succeeded('setns', setns(own, type))
    succeeded('setns', setns(namespace, type))
    const result = call()
    succeeded('setns', setns(own, type))
    return result
  } finally {
    closeSync(own)
  }
}
