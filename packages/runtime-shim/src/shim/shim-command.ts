import type { Socket } from 'node:net'
import { basename } from 'node:path'
import { type AbortOptions, onAbort } from '@nsbox/concurrency'
import { NsboxError, quoted } from '@nsbox/errors'
import { type ChildProgram, signalName, startChild } from '@nsbox/supervisor/programs'
import { closeAllOnExec } from '@nsbox/sys/descriptors'
import { maxBootstrapBytes } from './bootstrap.ts'

/** The server's addresses, for a shim. */
export interface ServerAddresses {
  /** Path of the server's socket. */
  readonly address: string
  /** Path of the socket for events. */
  readonly ttrpcAddress: string
}

/** A command of a shim's program, for one container. */
export interface ShimCommand extends AbortOptions {
  readonly binary: string
  readonly action: 'start' | 'delete'
  readonly namespace: string
  readonly id: string
  /** Path of the bundle, its working directory. */
  readonly bundle: string
  readonly addresses: ServerAddresses
  /** Its standard input: options, as an encoded `google.protobuf.Any`. */
  readonly input?: Uint8Array | undefined
  /** Milliseconds until it is killed. */
  readonly timeout: number
}

/** Variables that would make it talk to the service manager of this process. */
const hidden = ['NOTIFY_SOCKET', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']

/**
 * Runs a command of a shim, with the arguments and variables of containerd's runtime protocol. Programs that it leaves
 * running have three descriptors and none of the host's others (docs/threat-model.md B18).
 *
 * @returns its output
 * @throws `unknown` with its message; `deadline_exceeded`; `resource_exhausted` for too much output; the signal's
 * reason
 */
export async function runShimCommand(command: ShimCommand): Promise<Buffer> {
  const { binary, action, timeout, signal, input = new Uint8Array() } = command
  signal?.throwIfAborted()
  const context = `shim ${quoted(basename(binary))} ${action}`
  closeAllOnExec()
  const child = start(command, context)
  let stop: unknown
  const kill = (reason: unknown) => {
    stop ??= reason
    child.kill()
  }
  const tooMuch = () => kill(new NsboxError('resource_exhausted', `${context}: too much output`))
  const printed = collect(child.stdout, tooMuch)
  const complained = collect(child.stderr, tooMuch)
  // A command that fails before it reads its input reports its own error.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  using _aborting = onAbort(signal, () => kill(signal?.reason))
  const late = () => kill(new NsboxError('deadline_exceeded', `${context}: not done after ${timeout} ms`))
  const timer = setTimeout(late, timeout)
  try {
    const end = await child.end
    await child.closed
    if (stop !== undefined) throw stop
    if ('code' in end && end.code === 0) return printed()
    const how = 'code' in end ? `exit status ${end.code}` : `ended by ${signalName(end.signal)}`
    const words = [complained(), printed()].map((text) => text.toString().trim()).filter(Boolean)
    throw new NsboxError('unknown', `${context}: ${words.join(': ') || how}`)
  } finally {
    clearTimeout(timer)
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
  }
}

function start(command: ShimCommand, context: string): ChildProgram {
  const { binary, action, namespace, id, bundle, addresses } = command
  const { address, ttrpcAddress } = addresses
  const given = Object.entries(process.env).filter(([name]) => !hidden.includes(name))
  const env = {
    ...(Object.fromEntries(given) as Record<string, string>),
    // As containerd sets them: a shim needs few threads, and must know which versions are supported here.
    GOMAXPROCS: '2',
    MAX_SHIM_VERSION: '3',
    TTRPC_ADDRESS: ttrpcAddress,
    GRPC_ADDRESS: address,
    NAMESPACE: namespace,
  }
  // Some shims require a program that publishes events, but do not run it if they know the socket for events.
  const common = [
    '-namespace',
    namespace,
    '-address',
    address,
    '-publish-binary',
    process.execPath,
    '-id',
    id,
  ]
  const args = [...common, ...(action === 'delete' ? ['-bundle', bundle] : []), action]
  try {
    return startChild({
      path: binary,
      args: [binary, ...args],
      env,
      cwd: bundle,
      session: true,
      reads: true,
      prints: true,
    })
  } catch (cause) {
    throw new NsboxError('unknown', `${context}: cannot be run`, { cause })
  }
}

function collect(stream: Socket | undefined, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBootstrapBytes) onOverflow()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks)
}
