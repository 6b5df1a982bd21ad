import { Processes } from '@nsbox/api/gen/nsbox/tasks/v1/processes_pb'
import { Tasks as TasksService } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type {
  CheckpointOptions,
  CreateTaskOptions,
  ExecOptions,
  KillOptions,
  Process,
  ProcessChoice,
  ProcessExit,
  ProcessInfo,
  ProcessIo,
  TaskMetrics,
  Tasks,
  UpdateTaskOptions,
} from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import { received } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { descriptorMessage, receivedDescriptor } from '../messages/descriptor-message.ts'
import { mountMessage } from '../messages/mount-message.ts'
import { receivedOpaque } from '../messages/opaque-value.ts'
import { receivedExit, receivedProcess } from '../messages/process-message.ts'

const { method } = TasksService

/** The tasks of one namespace of a server. */
export class RemoteTasks implements Tasks {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async create(containerId: string, options: CreateTaskOptions = {}): Promise<{ readonly pid: number }> {
    const { rootfs = [], checkpoint, options: runtimeOptions, runtimePath = '', signal } = options
    const request = {
      containerId,
      ...ioFields(options),
      rootfs: rootfs.map(mountMessage),
      runtimePath,
      ...(runtimeOptions && { options: runtimeOptions }),
      ...(checkpoint && { checkpoint: descriptorMessage(checkpoint) }),
    }
    const { pid } = await this.#rpc.unary(method.create, request, { signal })
    return { pid }
  }

  async start(containerId: string, { execId = '', signal }: ProcessChoice = {}) {
    const { pid } = await this.#rpc.unary(method.start, { containerId, execId }, { signal })
    return { pid }
  }

  async delete(containerId: string, options: AbortOptions = {}) {
    const response = await this.#rpc.unary(method.delete, { containerId }, options)
    return { ...receivedExit(response), pid: response.pid }
  }

  async deleteProcess(containerId: string, execId: string, options: AbortOptions = {}) {
    // An empty id would select the first process.
    if (execId === '') throw new NsboxError('invalid_argument', 'exec id must not be empty')
    const response = await this.#rpc.unary(method.deleteProcess, { containerId, execId }, options)
    return { ...receivedExit(response), pid: response.pid }
  }

  async get(containerId: string, { execId = '', signal }: ProcessChoice = {}): Promise<Process> {
    const { process } = await this.#rpc.unary(method.get, { containerId, execId }, { signal })
    return receivedProcess(received(process, 'a process'), { containerId, execId })
  }

  async list(options: AbortOptions = {}): Promise<Process[]> {
    const { tasks } = await this.#rpc.unary(method.list, {}, options)
    return tasks
      .map((task) => receivedProcess(task, { containerId: task.id, execId: '' }))
      .sort((a, b) => (a.containerId < b.containerId ? -1 : 1))
  }

  async kill(
    containerId: string,
    signalNumber: number,
    { execId = '', all = false, pid, signal }: KillOptions = {},
  ): Promise<void> {
    if (pid !== undefined && (all || execId !== '')) {
      throw new NsboxError('invalid_argument', 'enter either a pid or an exec id or all')
    }
    if (pid !== undefined) {
      if (!Number.isInteger(pid) || pid <= 0) throw new NsboxError('invalid_argument', `pid ${pid}`)
      const request = { containerId, pid, signal: signalNumber }
      await this.#rpc.unary(Processes.method.kill, request, { signal })
      return
    }
    await this.#rpc.unary(method.kill, { containerId, execId, all, signal: signalNumber }, { signal })
  }

  async exec(containerId: string, execId: string, options: ExecOptions): Promise<void> {
    const { spec, signal } = options
    await this.#rpc.unary(method.exec, { containerId, execId, ...ioFields(options), spec }, { signal })
  }

  async resize(
    containerId: string,
    { width, height }: { readonly width: number; readonly height: number },
    { execId = '', signal }: ProcessChoice = {},
  ): Promise<void> {
    await this.#rpc.unary(method.resizePty, { containerId, execId, width, height }, { signal })
  }

  async closeStdin(containerId: string, { execId = '', signal }: ProcessChoice = {}): Promise<void> {
    await this.#rpc.unary(method.closeIO, { containerId, execId, stdin: true }, { signal })
  }

  async pause(containerId: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(method.pause, { containerId }, options)
  }

  async resume(containerId: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(method.resume, { containerId }, options)
  }

  async pids(containerId: string, options: AbortOptions = {}): Promise<ProcessInfo[]> {
    const { processes } = await this.#rpc.unary(method.listPids, { containerId }, options)
    return processes
      .map(({ pid, info }) => ({ pid, info: receivedOpaque(info) }))
      .sort((a, b) => a.pid - b.pid)
  }

  async update(containerId: string, { resources, annotations, signal }: UpdateTaskOptions): Promise<void> {
    const request = { containerId, annotations: { ...annotations }, ...(resources && { resources }) }
    await this.#rpc.unary(method.update, request, { signal })
  }

  async metrics(filters: readonly string[] = [], options: AbortOptions = {}): Promise<TaskMetrics[]> {
    const { metrics } = await this.#rpc.unary(method.metrics, { filters: [...filters] }, options)
    // Loaded only here, since nothing else needs the types of all the statistics.
    const { receivedMetrics } = await import('../messages/metrics-message.ts')
    return metrics.map(receivedMetrics)
  }

  async wait(containerId: string, { execId = '', signal }: ProcessChoice = {}): Promise<ProcessExit> {
    return receivedExit(await this.#rpc.unary(method.wait, { containerId, execId }, { signal }))
  }

  async checkpoint(
    containerId: string,
    { parent = '', options, signal }: CheckpointOptions = {},
  ): Promise<Descriptor[]> {
    const request = { containerId, parentCheckpoint: parent, ...(options && { options }) }
    const { descriptors } = await this.#rpc.unary(method.checkpoint, request, { signal })
    return descriptors.map(receivedDescriptor)
  }
}

function ioFields({ stdin = '', stdout = '', stderr = '', terminal = false }: Partial<ProcessIo>): ProcessIo {
  return { stdin, stdout, stderr, terminal }
}
