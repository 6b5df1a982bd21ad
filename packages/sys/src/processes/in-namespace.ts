import { closeSync, fstatSync, openSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { CFunction } from '../c-function.ts'

/** Kinds of namespaces that a thread may enter and leave, by their flags for setns(2). */
const types = { uts: 0x04000000, net: 0x40000000 } as const

const setns = new CFunction('int setns(int fd, int type)')

/**
 * Calls a function with the calling thread in another namespace (setns(2)). No other code runs there.
 *
 * @param namespace a descriptor of `/proc/<pid>/ns/<kind>`
 * @returns the function's result
 * @throws `invalid_argument` if the namespace is that of this process; `permission_denied` if this thread must not
 * enter it, or could not return
 */
export function inNamespace(kind: keyof typeof types, namespace: number, call: () => number): number {
  const own = openSync(`/proc/thread-self/ns/${kind}`, 'r')
  const type = types[kind]
  try {
    if (fstatSync(own).ino === fstatSync(namespace).ino)
      throw new NsboxError('invalid_argument', `the ${kind.toUpperCase()} namespace is that of this process`)
    // A thread that may enter its own namespace may also return to it.
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
