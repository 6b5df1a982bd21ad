import { join } from 'node:path'
import {
  type RunningProcess,
  type RunOptions,
  type RunResult,
  run,
  startProcess,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

const programs = join(import.meta.dirname, '../../node_modules/.bin')

/** The path of one of our built programs, as the set-up leaves it. */
export function program(name: 'nsbox-server' | 'ctr' | 'dist'): string {
  return join(programs, name)
}

/** A running server with directories of its own. */
export interface TestServer extends AsyncDisposable {
  readonly root: string
  readonly address: string
  readonly process: RunningProcess
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Starts it anew on the same directories after `kill`. */
  restart(): Promise<void>
  ctr(args: readonly string[], options?: RunOptions): Promise<RunResult>
  dist(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Debian's `ctr`. */
  stockCtr(args: readonly string[], options?: RunOptions): Promise<RunResult>
}

/** Starts the built server. */
export async function startServer({
  root,
  args = [],
}: {
  root?: string
  args?: string[]
} = {}): Promise<TestServer> {
  await using starting = new AsyncDisposableStack()
  const directory = starting.use(await tempDir('nsbox-server')).path
  const dataRoot = root ?? join(directory, 'root')
  const address = join(directory, 'nsbox.sock')
  const launch = () =>
    startProcess(
      program('nsbox-server'),
      ['--root', dataRoot, '--state', join(directory, 'state'), '--address', address, ...args],
      { ready: /serving/, readyTimeout: 30_000 },
    )
  let process = await launch()
  starting.defer(async () => {
    await process.stop()
  })
  const resources = starting.move()
  const client = (name: 'ctr' | 'dist', clientArgs: readonly string[], options?: RunOptions) => {
    return run(program(name), clientArgs, {
      ...options,
      env: { CONTAINERD_ADDRESS: address, ...options?.env },
    })
  }
  return {
    root: dataRoot,
    address,
    get process() {
      return process
    },
    kill: async () => {
      process.kill('SIGKILL')
      await process.exited
    },
    restart: async () => {
      process = await launch()
    },
    ctr: (clientArgs, options) => client('ctr', clientArgs, options),
    dist: (clientArgs, options) => client('dist', clientArgs, options),
    stockCtr: (clientArgs, options) => run('/usr/bin/ctr', ['-a', address, ...clientArgs], options),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
