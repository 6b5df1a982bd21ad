import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { Image } from '@nsbox/core/images'
import type { Mount } from '@nsbox/core/snapshots'
import type { CreateTaskOptions } from '@nsbox/core/tasks'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { CheckpointStores } from '../checkpoint/checkpoint-stores.ts'
import type { ForkOptions } from '../fork/fork-options.ts'
import { fifosOf } from '../stdio/fifo-paths.ts'
import { ProcessStreams } from '../stdio/process-streams.ts'
import { removeFifos } from '../stdio/remove-fifos.ts'
import { specHasTerminal } from '../task/exec-process.ts'
import { InputEnd } from '../task/input-end.ts'
import { makeStdio } from '../task/make-stdio.ts'
import type { StdioOptions } from '../task/stdio-options.ts'
import { type FindProcessOptions, TaskHandle } from '../task/task-handle.ts'
import type { CheckpointContainerOptions } from './checkpoint-container.ts'

/** How to make a task. */
export interface NewTaskOptions
  extends StdioOptions,
    Pick<CreateTaskOptions, 'options' | 'runtimePath' | 'checkpoint' | 'rootfs' | 'signal'> {
  /** Whether its first process has a terminal; as the container's spec says by default. */
  readonly terminal?: boolean | undefined
}

/** A container by its id, which need not exist. */
export class ContainerHandle {
  readonly id: string
  readonly #stores: CheckpointStores

  /** @internal */
  constructor(id: string, stores: CheckpointStores) {
    this.id = id
    this.#stores = stores
  }

  /** @throws as `ContainerStore.get` */
  async info(options: AbortOptions = {}): Promise<Container> {
    return await this.#stores.containers.get(this.id, options)
  }

  /**
   * Makes its task, which `start` starts, with streams of its first process. After an error nothing is left.
   * @throws as `Tasks.create`
   */
  async createTask(options: NewTaskOptions = {}): Promise<TaskHandle> {
    const { options: runtimeOptions, runtimePath, checkpoint, signal } = options
    const { tasks } = this.#stores
    const container = await this.info({ signal })
    const { terminal = specHasTerminal(container.spec) } = options
    const rootfs = options.rootfs ?? (await this.#mounts(container, { signal }))
    await using undo = new AsyncDisposableStack()
    const io = await makeStdio({ ...options, terminal })
    undo.defer(() => removeFifos(fifosOf(io)))
    const inputEnd = new InputEnd(tasks, this.id, '')
    const streams = undo.adopt(
      await ProcessStreams.open(io, () => inputEnd.end(), { untilStarted: true }),
      (opened) => opened.close(),
    )
    const request = { ...io, rootfs, options: runtimeOptions, runtimePath, checkpoint, signal }
    const { pid } = await tasks.create(this.id, request)
    undo.move()
    return this.#handle({ pid, terminal, fifos: io, streams, inputEnd })
  }

  /** Its task. @throws `not_found` */
  async task({ attach = false, signal }: FindProcessOptions = {}): Promise<TaskHandle> {
    const { tasks } = this.#stores
    const found = await tasks.get(this.id, { signal })
    const { pid, terminal, status } = found
    const inputEnd = new InputEnd(tasks, this.id, '')
    // The client that made it starts it as well.
    inputEnd.allow()
    // The server has closed the FIFOs of an ended process.
    const open = attach && status !== 'stopped'
    const streams = open ? await ProcessStreams.open(found, () => inputEnd.end()) : ProcessStreams.none
    return this.#handle({ pid, terminal, fifos: found, streams, inputEnd })
  }

  /**
   * Makes an image of the container and the memory of its task, for `Client.restore` and other clients of containerd.
   * Its task is paused meanwhile, and resumed after a failure too.
   *
   * @param name of the image, which must be free
   * @throws `already_exists`, before anything is done; `not_found` for the container, its image or its task;
   * `failed_precondition` for a container without a part that is to be kept; as `Tasks.checkpoint` and
   * `Comparer.compare`
   */
  async checkpoint(name: string, options: CheckpointContainerOptions = {}): Promise<Image> {
    // Loaded only here: few of those who run containers make checkpoints.
    const { checkpointContainer } = await import('./checkpoint-container.ts')
    return await checkpointContainer(this.#stores, this.id, name, options)
  }

  /**
   * Makes containers that go on from where this one is: each with its files, memory and processes as they are now, and
   * with an id, a cgroup, a hostname and further changes of its own. It is frozen while it is captured, once for all
   * copies, and resumed after a failure too; the copies are restored from one image of its memory. Either all copies
   * run afterwards, or nothing is left of any.
   *
   * All else is this one's, so copies share the directories of the host that are mounted into it. They have everything
   * that was in its memory: keys, tokens, and states of random number generators, which yield the same numbers in all
   * of them. On containerd they keep the hostname of this one.
   *
   * @returns the tasks of the copies, in the order of their ids
   * @throws `already_exists` naming a copy; `failed_precondition` for a container that does not run or has no snapshot,
   * and for what cannot be copied, such as open TCP connections, which it names; `unimplemented` if the server's host
   * lacks CRIU; `invalid_argument`
   */
  async fork(options: ForkOptions = {}): Promise<TaskHandle[]> {
    // Loaded only here: few of those who run containers fork them.
    const { forkContainer } = await import('./fork-container.ts')
    const stores = this.#stores
    const createTask = (id: string, task: NewTaskOptions) => new ContainerHandle(id, stores).createTask(task)
    return await forkContainer(this.id, { stores, createTask }, options)
  }

  /** Deletes the container; its task and its snapshot stay. @throws as `ContainerStore.delete` */
  async delete(options: AbortOptions = {}): Promise<void> {
    await this.#stores.containers.delete(this.id, options)
  }

  /** containerd expects its clients to name the root filesystem. */
  async #mounts({ snapshotter, snapshotKey }: Container, options: AbortOptions): Promise<Mount[]> {
    if (snapshotKey === '') return []
    return await this.#stores.snapshotter(snapshotter).mounts(snapshotKey, options)
  }

  #handle(
    parts: Pick<
      ConstructorParameters<typeof TaskHandle>[0],
      'pid' | 'terminal' | 'fifos' | 'streams' | 'inputEnd'
    >,
  ) {
    const { tasks } = this.#stores
    return new TaskHandle({ ...parts, tasks, containerId: this.id }, (options) => this.info(options))
  }
}
