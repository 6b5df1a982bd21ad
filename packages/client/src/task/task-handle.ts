import { randomBytes } from 'node:crypto'
import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { ProcessInfo, TaskMetrics, UpdateTaskOptions } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import type { Process } from '@nsbox/oci/runtime-spec'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { fifosOf } from '../stdio/fifo-paths.ts'
import { ProcessStreams } from '../stdio/process-streams.ts'
import { removeFifos } from '../stdio/remove-fifos.ts'
import type { CheckpointTaskOptions } from './checkpoint-options.ts'
import { execProcess } from './exec-process.ts'
import { InputEnd } from './input-end.ts'
import { makeStdio } from './make-stdio.ts'
import { ProcessHandle, type ProcessHandleParts } from './process-handle.ts'
import type { StdioOptions } from './stdio-options.ts'

/** How to run another process in a container. */
export interface ExecProcessOptions extends StdioOptions, AbortOptions {
  /** Program and arguments; those of `process` by default. */
  readonly args?: readonly string[] | undefined
  /** The OCI process; that of the container's spec by default, changed by the options below. */
  readonly process?: Process | undefined
  /** Variables to set, as `NAME=value`, or to remove, as `NAME`. */
  readonly env?: readonly string[] | undefined
  /** Working directory. */
  readonly cwd?: string | undefined
  /** Whether it gets a terminal of its own; not by default. */
  readonly terminal?: boolean | undefined
  /** An identifier; a random one by default. */
  readonly execId?: string | undefined
}

/** How to find a process. */
export interface FindProcessOptions extends AbortOptions {
  /** Whether to open the streams that it was made with; not by default. */
  readonly attach?: boolean | undefined
}

/** The task of a container: its first process, and all others that it holds. */
export class TaskHandle extends ProcessHandle {
  readonly #container: (options: AbortOptions) => Promise<Container>

  /** @internal */
  constructor(
    parts: Omit<ProcessHandleParts, 'execId'>,
    container: (options: AbortOptions) => Promise<Container>,
  ) {
    super({ ...parts, execId: '' })
    this.#container = container
  }

  /** Adds a process, which `start` starts. @throws as `Tasks.exec` */
  async exec(options: ExecProcessOptions = {}): Promise<ProcessHandle> {
    const { execId = randomBytes(8).toString('hex'), terminal = false, signal } = options
    const { tasks, containerId } = this
    await using undo = new AsyncDisposableStack()
    const spec = await this.#process(options)
    const io = await makeStdio({ ...options, terminal })
    undo.defer(() => removeFifos(fifosOf(io)))
    const inputEnd = new InputEnd(tasks, containerId, execId)
    const streams = undo.adopt(
      await ProcessStreams.open(io, () => inputEnd.end(), { untilStarted: true }),
      (opened) => opened.close(),
    )
    await tasks.exec(containerId, execId, { ...io, spec, signal })
    undo.move()
    return new ProcessHandle({ tasks, containerId, execId, pid: 0, terminal, fifos: io, streams, inputEnd })
  }

  /**
   * Another process of the task, by the id that `exec` gave it.
   * @throws `not_found`
   */
  async process(execId: string, { attach = false, signal }: FindProcessOptions = {}): Promise<ProcessHandle> {
    const { tasks, containerId } = this
    const { pid, terminal, status, ...io } = await tasks.get(containerId, { execId, signal })
    const inputEnd = new InputEnd(tasks, containerId, execId)
    // The client that made it starts it as well.
    inputEnd.allow()
    // The server has closed the FIFOs of an ended process.
    const open = attach && status !== 'stopped'
    const streams = open ? await ProcessStreams.open(io, () => inputEnd.end()) : ProcessStreams.none
    return new ProcessHandle({ tasks, containerId, execId, pid, terminal, fifos: io, streams, inputEnd })
  }

  /** Freezes all processes. @throws as `Tasks.pause` */
  async pause(options: AbortOptions = {}): Promise<void> {
    await this.tasks.pause(this.containerId, options)
  }

  /** Resumes frozen processes. @throws as `Tasks.resume` */
  async resume(options: AbortOptions = {}): Promise<void> {
    await this.tasks.resume(this.containerId, options)
  }

  /** All processes that the container holds. @throws as `Tasks.pids` */
  async pids(options: AbortOptions = {}): Promise<ProcessInfo[]> {
    return await this.tasks.pids(this.containerId, options)
  }

  /** The resource usage of the container. @throws `not_found` if it does not run */
  async metrics(options: AbortOptions = {}): Promise<TaskMetrics> {
    const id = JSON.stringify(this.containerId)
    const [metrics] = await this.tasks.metrics([`id==${id}`], options)
    if (metrics === undefined) throw new NsboxError('not_found', `metrics of container ${this.containerId}`)
    return metrics
  }

  /** Changes limits. @throws as `Tasks.update` */
  async update(options: UpdateTaskOptions): Promise<void> {
    await this.tasks.update(this.containerId, options)
  }

  /**
   * Stores the memory of all processes, without their files. `ContainerHandle.checkpoint` stores both.
   *
   * @returns what is in the content store now, held by the client's lease; nothing if `imagePath` is given
   * @throws as `Tasks.checkpoint`
   */
  async checkpoint(options: CheckpointTaskOptions = {}): Promise<Descriptor[]> {
    const { checkpointOptions } = await import('./checkpoint-options.ts')
    const { parent, signal } = options
    return await this.tasks.checkpoint(this.containerId, {
      parent,
      options: checkpointOptions(options),
      signal,
    })
  }

  async #process({ process, args, env, cwd, terminal = false, signal }: ExecProcessOptions) {
    const base = process ? { process } : { spec: (await this.#container({ signal })).spec }
    return await execProcess(base, { args, env, cwd, terminal })
  }
}
