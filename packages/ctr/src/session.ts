import { stat } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { type Client, connect, defaultAddress, systemAddress } from '@nsbox/client'
import { fromSystemError, isErrno } from '@nsbox/errors'
import { namespaceFromEnvironment } from '@nsbox/namespaces'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { commandSignal } from './command-signal.ts'
import { credentials } from './credentials.ts'
import { dataRootServer } from './data-root-server.ts'
import type { GlobalOptions } from './global-options.ts'
import { complain } from './print.ts'

/** A command's connection. */
export interface Session extends AsyncDisposable {
  readonly client: Client
  /** Whether the server runs inside a process of a command; then the server and its containers end with that. */
  readonly isEmbedded: boolean
  /** Whether the server is on this host, and not reached over TCP. */
  readonly isOnHost: boolean
  /** The snapshotter that the options or the environment name, if they name one. */
  readonly namedSnapshotter: string | undefined
  /** Aborted by an interrupt from the terminal, by a failure of the standard output and by `--timeout`. */
  readonly signal: AbortSignal
  /** From now on signals do not end the command, which handles them itself. */
  leaveSignals(): void
}

/**
 * Connects to the server that the options and the environment name. If they name none and there is no server at the
 * default address, the server is run inside this process for as long as the session lasts, and others that use it
 * meanwhile; or that of another command is used.
 *
 * @throws `unavailable` if the named server cannot be reached, `permission_denied` if the one at the default address
 * may not be used
 */
export async function openSession(options: GlobalOptions, env = process.env): Promise<Session> {
  await using opening = new AsyncDisposableStack()
  const { signal, leaveSignals, release } = commandSignal(options.timeout)
  opening.defer(release)
  const named = options.address ?? (env.CONTAINERD_ADDRESS || undefined)
  const hasDaemon = named !== undefined || (await listens(defaultAddress()))
  const { address, isEmbedded } = hasDaemon
    ? { address: named ?? defaultAddress(), isEmbedded: false }
    : opening.use(await dataRootServer(options, { signal }))
  // Not before: the start may have begun this program anew.
  if (!hasDaemon) await sayIfSystemServer(defaultAddress())
  const namespace = options.namespace ?? namespaceFromEnvironment(env)
  const connectTimeout = options.connectTimeout || undefined
  const client = opening.use(connect({ address, namespace, connectTimeout, ...(await credentials(options)) }))
  const namedSnapshotter = options.snapshotter || env.CONTAINERD_SNAPSHOTTER || undefined
  const resources = opening.move()
  return {
    client,
    isEmbedded,
    isOnHost: !/^tcp:/i.test(address),
    namedSnapshotter,
    signal,
    leaveSignals,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Says that an ordinary user does not use the server of root, if there is one. */
async function sayIfSystemServer(own: string): Promise<void> {
  if (own === systemAddress) return
  const isThere = await stat(systemAddress).then(
    (found) => found.isSocket(),
    () => false,
  )
  if (isThere)
    complain(
      `the server at ${systemAddress} is for root only: working on a store of your own, without a server`,
    )
}

function listens(address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      if (isErrno(error, 'ENOENT') || isErrno(error, 'ECONNREFUSED')) resolve(false)
      else reject(fromSystemError(error, `the server at ${address}`))
    })
  })
}
