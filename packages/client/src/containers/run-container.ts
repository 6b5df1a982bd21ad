import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Container } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { endTask } from '../task/end-task.ts'
import type { TaskHandle } from '../task/task-handle.ts'
import type { NewTaskOptions } from './container-handle.ts'
import type { ContainerStores } from './container-stores.ts'
import { type CreateContainerOptions, createContainer } from './create-container.ts'
import { removeContainer } from './remove-container.ts'

/** How to run a container to its end. */
export interface RunOptions extends CreateContainerOptions, Pick<NewTaskOptions, 'fifoDirectory'> {
  /** What its process reads; nothing by default. With a terminal, keys. */
  readonly stdin?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined
  /** Where its output goes, and stays open; collected by default. With a terminal, all of its output. */
  readonly stdout?: Writable | undefined
  readonly stderr?: Writable | undefined
  /** Most bytes to collect of each output; 16 MiB by default. */
  readonly maxOutput?: number | undefined
  /** Size of its terminal, in characters. */
  readonly size?: { readonly width: number; readonly height: number } | undefined
}

/** How a container ended. */
export interface RunResult {
  /** Exit status of its first process; 128 and the number of the signal that ended it. */
  readonly exitStatus: number
  /** What it wrote, as UTF-8; empty where it went to a stream of the caller. */
  readonly stdout: string
  readonly stderr: string
}

const defaultMaxOutput = 16 << 20

/**
 * Runs a container of an image to its end, and removes it: the image is pulled and unpacked where it is missing, and
 * stays. After an abort, or another failure, the container is killed and removed.
 *
 * @throws as `createContainer` and `Tasks.create`; `resource_exhausted` for more output than `maxOutput`; the reason of
 * `signal`; errors of the streams
 */
export async function runContainer(view: ContainerStores, options: RunOptions): Promise<RunResult> {
  const {
    fifoDirectory,
    maxOutput = defaultMaxOutput,
    signal: given,
    size,
    stdin,
    terminal = false,
  } = options
  const failed = new AbortController()
  const signal = given ? AbortSignal.any([given, failed.signal]) : failed.signal
  await using owned = new AsyncDisposableStack()
  const container: Container = await createContainer(view, { ...options, signal })
  // Without the signal from here on: after an abort there is still something to remove.
  owned.defer(() => removeContainer(view, container))
  const task = await view
    .container(container.id)
    .createTask({ stdin: stdin !== undefined, terminal, fifoDirectory, signal })
  owned.use(task)
  await using undo = new AsyncDisposableStack()
  undo.defer(async () => void (await endTask(task)))
  const watch = <T>(work: Promise<T>): Promise<T> => {
    work.catch((error) => failed.abort(error))
    return work
  }
  const outputs = [
    watch(output(task.stdout, options.stdout, maxOutput, 'standard output')),
    watch(output(task.stderr, options.stderr, maxOutput, 'standard error')),
  ] as const
  // A program may ask for it as soon as it runs.
  if (terminal && size) await task.resize(size)
  await task.start({ signal })
  if (stdin !== undefined) feed(task, stdin, (error) => failed.abort(error))
  const { exitStatus } = await task.finished({ signal })
  const [stdout, stderr] = await Promise.all(outputs)
  await task.delete({ signal })
  undo.move()
  return { exitStatus, stdout, stderr }
}

/** Writes input as the process takes it. One that ends before it has read all is no failure. */
function feed(
  task: TaskHandle,
  input: NonNullable<RunOptions['stdin']>,
  onError: (error: unknown) => void,
): void {
  const source = typeof input === 'string' || input instanceof Uint8Array ? [input] : input
  let ended = false
  const end = () => {
    ended = true
  }
  task.exit.then(end, end)
  const target = task.stdin
  if (target === undefined) return
  // The end of its input would hang up a terminal.
  pipeline(Readable.from(source), target, { end: !task.terminal }).catch((error) => {
    if (!ended && !isClosedPipe(error)) onError(error)
  })
}

const isClosedPipe = (error: unknown) =>
  ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'].includes(
    String((error as NodeJS.ErrnoException).code),
  )

async function output(
  source: Readable | undefined,
  target: Writable | undefined,
  maxBytes: number,
  name: string,
): Promise<string> {
  if (source === undefined) return ''
  if (target) {
    await pipeline(source, target, { end: false })
    return ''
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes)
      throw new NsboxError('resource_exhausted', `${name} of the container: more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
