import { stat } from 'node:fs/promises'
import type { Client } from '@nsbox/client'
import { isNsboxError } from '@nsbox/errors'
import { complain } from './print.ts'

/** Marks this process. A variable would not do: a program with V8's code cache has two instances of this module. */
const wholeProgram = Symbol.for('nsbox.wholeProgram')

/**
 * Says that the command line is what this process is for, so that it may be started again. Within another program, an
 * ordinary user's command does without a user namespace.
 */
export function declareWholeProgram(): void {
  Object.defineProperty(process, wholeProgram, { value: true, configurable: true })
}

/** Whether this program may be started again, and has a user whom a user namespace gives rights. */
const canGain = () => wholeProgram in process && process.platform === 'linux' && process.geteuid?.() !== 0

/**
 * Starts an ordinary user's command again in a user namespace of its own, in which a server can mount and unpack. Only
 * says why where that is not possible: then all files that are unpacked belong to the user.
 */
export async function enterOwnUserNamespace(): Promise<void> {
  if (!canGain()) return
  // Loaded only here, since it loads native code.
  const { enterUserNamespace } = await import('@nsbox/sys/user-namespaces')
  try {
    enterUserNamespace()
  } catch (error) {
    if (!isNsboxError(error) || error.code !== 'failed_precondition') throw error
    complain(`${error.message}; \`ctr doctor\` tells more`)
  }
}

/**
 * Starts an ordinary user's command again in the user and mount namespace of the server, for a command that looks into
 * root filesystems itself: only there they can be mounted. To be called before the command changes anything.
 */
export async function joinUserNamespaceOfServer({
  client,
  isOnHost,
  signal,
}: {
  readonly client: Pick<Client, 'introspection'>
  readonly isOnHost: boolean
  readonly signal: AbortSignal
}): Promise<void> {
  // Pids and inodes of another host mean nothing here.
  if (!canGain() || !isOnHost) return
  const { pid, pidNamespace } = await client.introspection.server({ signal })
  // The number of a process in another pid namespace means another process here.
  if ((await stat('/proc/self/ns/pid')).ino !== pidNamespace) return
  const { joinUserNamespace } = await import('@nsbox/sys/user-namespaces')
  joinUserNamespace(pid)
}
