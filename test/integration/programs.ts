import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  bundleSources,
  type RunningProcess,
  type RunOptions,
  type RunResult,
  run,
  startProcess,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { runCommand } from './command-host.ts'

const programs = join(import.meta.dirname, '../../node_modules/.bin')

/** The path of one of our built programs, as the set-up leaves it. */
export function program(name: 'nsbox-server' | 'ctr' | 'dist'): string {
  return join(programs, name)
}

/** Makes the server's program from its sources, in a directory, and returns how to run it. */
async function serverOfSources(directory: string): Promise<string[]> {
  const sources = join(import.meta.dirname, '../../packages/server/src/bin')
  const source = await readFile(join(sources, 'nsbox-server.ts'), 'utf8')
  return [process.execPath, await bundleSources(source, sources, directory)]
}

/** What a server adds, in the lines of a `LeakWatch`, when it has tried runc, a while after its first container. */
export const ofProvedRunc =
  /^file .*\/tasks\/proofs\.json$|^descriptor of supervisor.*: \/memfd:runc \(deleted\)$/

/** A running server with directories of its own. */
export interface TestServer extends AsyncDisposable {
  readonly root: string
  readonly state: string
  readonly address: string
  readonly process: RunningProcess
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Ends it as an operator does. */
  stop(): Promise<void>
  /**
   * Starts it anew on the same directories after `kill` or `stop`.
   * @param build which program: the built one again by default, or the sources, which are another build
   */
  restart(build?: 'built' | 'sources'): Promise<void>
  /** Numbers of the supervisors that run for it. */
  supervisors(): Promise<number[]>
  ctr(args: readonly string[], options?: RunOptions): Promise<RunResult>
  dist(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Debian's `ctr`. */
  stockCtr(args: readonly string[], options?: RunOptions): Promise<RunResult>
}

/**
 * Starts the built server.
 *
 * @param options.env variables added to this process's environment
 * @param options.within a program and its arguments that start the server, such as in namespaces of its own
 */
export async function startServer({
  root,
  args = [],
  env,
  within = [],
}: {
  root?: string
  args?: string[]
  env?: Readonly<Record<string, string>>
  within?: readonly string[]
} = {}): Promise<TestServer> {
  await using starting = new AsyncDisposableStack()
  const directory = starting.use(await tempDir('nsbox-server')).path
  const dataRoot = root ?? join(directory, 'root')
  const address = join(directory, 'nsbox.sock')
  const state = join(directory, 'state')
  const launch = (command: readonly string[] = [program('nsbox-server')]) => {
    const paths = ['--root', dataRoot, '--state', state, '--address', address]
    const [first, ...others] = [...within, ...command, ...paths, ...args]
    return startProcess(first!, others, { ready: /serving/, readyTimeout: 90_000, ...(env && { env }) })
  }
  let process = await launch()
  starting.defer(async () => {
    await process.stop()
  })
  const resources = starting.move()
  const client = (name: 'ctr' | 'dist', clientArgs: readonly string[], options?: RunOptions) =>
    runCommand(name, clientArgs, { ...options, env: { CONTAINERD_ADDRESS: address, ...options?.env } })
  return {
    root: dataRoot,
    state,
    address,
    get process() {
      return process
    },
    kill: async () => {
      process.kill('SIGKILL')
      await process.exited
    },
    stop: () => process.stop(),
    restart: async (build) => {
      process = await launch(build === 'sources' ? await serverOfSources(directory) : undefined)
    },
    supervisors: () => processesWith(`--directory\0${state}/`),
    ctr: (clientArgs, options) => client('ctr', clientArgs, options),
    dist: (clientArgs, options) => client('dist', clientArgs, options),
    stockCtr: (clientArgs, options) => run('/usr/bin/ctr', ['-a', address, ...clientArgs], options),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Processes that run and whose arguments hold a text. */
export async function processesWith(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid))
  const found = await Promise.all(
    pids.map(async (pid) => {
      // It may have ended since.
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return line.includes(text) ? [pid] : []
    }),
  )
  return found.flat()
}
