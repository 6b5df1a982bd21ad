import { type Client, connect } from '@nsbox/client'
import {
  type RunningProcess,
  type RunOptions,
  type RunResult,
  runOrThrow,
  startProcess,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type DaemonGroup, daemonGroup } from '../daemon-group.ts'
import { freshDisk } from '../fresh-disk.ts'
import { warmMemory } from '../quiet-machine.ts'
import { type Command, type Subject, stockCtr } from '../subjects.ts'
import type { BenchContext } from './row.ts'

/** A daemon on a file system of its own. Disposing of it ends it and all its helpers. */
export interface BenchDaemon extends AsyncDisposable {
  readonly subject: Subject
  /** Of the file system. */
  readonly directory: string
  readonly address: string
  /** How it is started, without its group. */
  readonly command: Command
  readonly group: DaemonGroup
  readonly client: Client
  /** Runs stock `ctr` on it. */
  ctr(args: readonly string[], options?: RunOptions): Promise<RunResult>
  stop(): Promise<void>
  start(): Promise<void>
}

export async function benchDaemon(subject: Subject, { disks, scale }: BenchContext): Promise<BenchDaemon> {
  await using opening = new AsyncDisposableStack()
  const disk = opening.use(await freshDisk(disks))
  await warmMemory(scale.memory)
  const { ready, address, ...command } = await subject.daemon(disk.path)
  const group = opening.use(await daemonGroup(`nsbox-bench-${process.pid}`))
  let running: RunningProcess | undefined
  const start = async () => {
    const { command: program, args, env } = group.inside(command)
    running = await startProcess(program, args, { ready, ...(env && { env }) })
  }
  const stop = async () => void (await running?.stop())
  opening.defer(stop)
  await start()
  const client = opening.use(connect({ address, namespace: 'bench', connectTimeout: 5000 }))
  const stack = opening.move()
  return {
    subject,
    directory: disk.path,
    address,
    command,
    group,
    client,
    ctr: (args, options) =>
      runOrThrow(stockCtr, ['--address', address, '--namespace', 'bench', ...args], {
        timeout: 300_000,
        ...options,
      }),
    stop,
    start,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
