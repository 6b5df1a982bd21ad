import { connect as connectSocket } from 'node:net'
import { constants } from 'node:os'
import { type Client, connect, defaultAddress, snapshotterVariable } from '@nsbox/client'
import { isErrno } from '@nsbox/errors'
import { namespaceFromEnvironment } from '@nsbox/namespaces'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { credentials } from './credentials.ts'
import type { GlobalOptions } from './global-options.ts'

/** A command's connection. */
export interface Session extends AsyncDisposable {
  readonly client: Client
  /** The snapshotter that the options or the environment name, if they name one. */
  readonly namedSnapshotter: string | undefined
  /** Aborted by an interrupt from the terminal, by a failure of the standard output and by `--timeout`. */
  readonly signal: AbortSignal
  /** From now on signals do not end the command, which has a use of its own for them. */
  leaveSignals(): void
}

/**
 * Connects to the server that the options and the environment name. If they name none and nobody listens at the
 * default address, the server is run inside this process for as long as the session lasts.
 *
 * @throws `unavailable` if the named server cannot be reached, `failed_precondition` if the data root is in use
 */
export async function openSession(options: GlobalOptions, env = process.env): Promise<Session> {
  await using opening = new AsyncDisposableStack()
  const { signal, leaveSignals, release } = commandSignal(options.timeout)
  opening.defer(release)
  const named = options.address ?? (env.CONTAINERD_ADDRESS || undefined)
  const address =
    named ?? ((await listens(defaultAddress())) ? defaultAddress() : await embed(opening, options))
  const namespace = options.namespace ?? namespaceFromEnvironment(env)
  const { connectTimeout } = options
  const client = opening.use(connect({ address, namespace, connectTimeout, ...(await credentials(options)) }))
  const namedSnapshotter = options.snapshotter || env[snapshotterVariable] || undefined
  const resources = opening.move()
  return {
    client,
    namedSnapshotter,
    signal,
    leaveSignals,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function embed(resources: AsyncDisposableStack, { root }: GlobalOptions): Promise<string> {
  // Loaded only here: a command that talks to a daemon starts without the server's code.
  const { readConfiguration, start } = await import('@nsbox/server')
  const configuration = await readConfiguration({ flags: root === undefined ? {} : { root } })
  // Socket and state are this process's own: nobody else shall find the server. The access list still says which namespaces
  // are sealed.
  const own = { state: undefined, address: undefined, tenantsAddress: undefined }
  const noTcp = {
    tcpAddress: undefined,
    tcpCertificate: undefined,
    tcpKey: undefined,
    tcpClientCa: undefined,
  }
  const server = await start({ ...configuration, ...own, ...noTcp })
  return resources.use(server).address
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
      else reject(error)
    })
  })
}

/** Signals that end a command. */
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What ends a command early. A signal makes the exit status what a shell reports for it: 130 after an interrupt. */
function commandSignal(timeout: number | undefined): {
  signal: AbortSignal
  leaveSignals: () => void
  release: () => void
} {
  const interrupted = new AbortController()
  const onInterrupt = (signal: NodeJS.Signals) => {
    process.exitCode = 128 + constants.signals[signal]
    interrupted.abort()
  }
  // Nobody reads the answer any more.
  const onOutputFailure = () => interrupted.abort()
  for (const name of ending) process.once(name, onInterrupt)
  process.stdout.once('error', onOutputFailure)
  const signal =
    timeout === undefined
      ? interrupted.signal
      : AbortSignal.any([interrupted.signal, AbortSignal.timeout(timeout)])
  const leaveSignals = () => {
    for (const name of ending) process.off(name, onInterrupt)
  }
  return {
    signal,
    leaveSignals,
    release: () => {
      leaveSignals()
      process.stdout.off('error', onOutputFailure)
    },
  }
}
