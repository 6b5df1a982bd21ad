import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type RunOptions, type RunResult, run } from './run.ts'
import { type RunningProcess, startProcess } from './running-process.ts'
import { tempDir } from './temp-dir.ts'

/** Debian's `containerd` with a root, a state and a socket of its own. */
export interface Containerd extends AsyncDisposable {
  /** The socket's path. */
  readonly address: string
  readonly root: string
  readonly process: RunningProcess
}

/**
 * Settings with which containerd collects only after its start and where a client asks for it. By default it does a
 * while after anything was deleted, and may then take what a test has made and nothing refers to yet. The pause between
 * two collections is the time of one divided by the threshold.
 */
export const collectsWhenAsked = `
[plugins."io.containerd.gc.v1.scheduler"]
  pause_threshold = 0.000001
`

/**
 * Starts stock containerd, without its CRI plugin; needs root.
 *
 * @param options.env further variables of its environment
 * @param options.settings further tables of its configuration, in TOML
 */
export async function startContainerd(
  options: Pick<RunOptions, 'env'> & { readonly settings?: string } = {},
): Promise<Containerd> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await tempDir('nsbox-containerd')).path
  const root = join(directory, 'root')
  const temporary = join(directory, 'tmp')
  await mkdir(temporary)
  const address = join(directory, 'containerd.sock')
  const config = `
version = 2
root = ${JSON.stringify(root)}
state = ${JSON.stringify(join(directory, 'state'))}
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing",
  "io.containerd.nri.v1.nri",
  "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = ${JSON.stringify(address)}
[ttrpc]
  address = ${JSON.stringify(`${address}.ttrpc`)}
${options.settings ?? ''}`
  const file = join(directory, 'config.toml')
  await writeFile(file, config)
  const process = stack.use(
    await startProcess('containerd', ['--config', file], {
      ready: /containerd successfully booted/,
      // containerd leaves directories there, such as those of checkpoints that tasks were restored from.
      env: { ...options.env, TMPDIR: temporary },
    }),
  )
  const owned = stack.move()
  return { address, root, process, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/**
 * Runs Debian's `ctr` against a socket, ours or containerd's.
 *
 * @param args the command and its arguments, without the global `--address` and `--namespace`
 */
export function stockCtr(
  address: string,
  namespace: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<RunResult> {
  return run('/usr/bin/ctr', ['--address', address, '--namespace', namespace, ...args], options)
}
