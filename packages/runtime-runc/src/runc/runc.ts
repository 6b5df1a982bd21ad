import type { JsonObject } from '@nsbox/oci'
import { type CheckpointOptions, checkpointArguments } from './checkpoint.ts'
import { checkContainerId } from './container-id.ts'
import { type ContainerState, type ListedContainer, parseContainers, parseState } from './container-state.ts'
import {
  type CreateOptions,
  createArguments,
  type ExecOptions,
  execArguments,
  type RestoreOptions,
  restoreArguments,
} from './launch-arguments.ts'
import { launchError } from './launch-error.ts'
import { parsePids, parseRuntimeFeatures } from './output.ts'
import { type CommandRequest, runCommand } from './run-command.ts'
import { type CommandOptions, globalArguments, logOf, type RuncOptions } from './runc-options.ts'
import type { RuntimeCommand } from './runtime-error.ts'
import { parseVersion, type RuntimeVersion } from './runtime-version.ts'

/** Milliseconds; hooks of the container run within most commands. */
const defaultTimeout = 60_000
/** For commands that take long for large containers, or while hooks run. */
const longTimeout = 600_000

/**
 * An OCI runtime program with runc's command line. Commands that make processes are not run here, since their caller
 * becomes the processes' parent: those methods return arguments only. Everything else runs as a child of this process,
 * with its errors read from standard error.
 *
 * All methods that run a command throw `not_found` if the container does not exist, `failed_precondition` if its state
 * does not allow the command, `deadline_exceeded` if the command took too long and was killed, `canceled` by the
 * signal, and `unknown` with the runtime's message for everything else; the name of a program that is missing is in
 * quotes. A killed command may have done its work or not.
 */
export class Runc {
  readonly options: RuncOptions

  constructor(options: RuncOptions = {}) {
    this.options = options
  }

  /** Makes a container whose process waits for `start`. */
  createArguments(id: string, options: CreateOptions): string[] {
    return createArguments(this.options, id, options)
  }

  /** Starts another process in a running container. */
  execArguments(id: string, options: ExecOptions): string[] {
    return execArguments(this.options, id, options)
  }

  /** Makes a container from a checkpoint, whose processes go on at once. */
  restoreArguments(id: string, options: RestoreOptions): string[] {
    return restoreArguments(this.options, id, options)
  }

  /** As the function of the same name. */
  launchError(command: 'create' | 'exec' | 'restore', log: string, error: unknown): Promise<unknown> {
    return launchError(command, log, error)
  }

  /**
   * Starts the first process, and waits until it is about to execute its program; ten minutes by default.
   * @throws failed_precondition if it runs, or has ended
   */
  async start(id: string, options?: CommandOptions): Promise<void> {
    await this.#run('start', [checkContainerId(id)], options, { timeout: longTimeout })
  }

  /**
   * Signals the first process, or with `all` every process of the container. Also ends a container that is paused,
   * which with cgroup v1 a signal alone does not.
   *
   * @throws not_found also if the process has ended: `process already finished`
   */
  async kill(
    id: string,
    signal: number,
    options: CommandOptions & { all?: boolean | undefined } = {},
  ): Promise<void> {
    const all = options.all === true ? ['--all'] : []
    await this.#run('kill', [...all, checkContainerId(id), String(signal)], options)
  }

  /** Freezes all processes. @throws failed_precondition if it is paused already, or not running */
  async pause(id: string, options?: CommandOptions): Promise<void> {
    await this.#run('pause', [checkContainerId(id)], options)
  }

  /** @throws failed_precondition if it is not paused */
  async resume(id: string, options?: CommandOptions): Promise<void> {
    await this.#run('resume', [checkContainerId(id)], options)
  }

  /** Changes limits. @param resources OCI resources as JSON; limits that they lack stay */
  async update(id: string, resources: Uint8Array, options?: CommandOptions): Promise<void> {
    await this.#run('update', ['--resources', '-', checkContainerId(id)], options, { input: resources })
  }

  /**
   * Removes the container's cgroups and the runtime's state of it, and ends remaining processes where they do not end
   * with the first one. With `force` the first process is killed before, and a container that does not exist is no
   * error.
   *
   * @throws failed_precondition without `force`, if it runs
   */
  async delete(id: string, options: CommandOptions & { force?: boolean | undefined } = {}): Promise<void> {
    const force = options.force === true ? ['--force'] : []
    await this.#run('delete', [...force, checkContainerId(id)], options)
  }

  async state(id: string, options?: CommandOptions): Promise<ContainerState> {
    return parseState(await this.#print('state', [checkContainerId(id)], options))
  }

  /** The pids on the host of the processes in the container's cgroup. */
  async ps(id: string, options?: CommandOptions): Promise<number[]> {
    return parsePids(await this.#print('ps', ['--format', 'json', checkContainerId(id)], options))
  }

  /** All containers below the root, in one call. */
  async list(options?: CommandOptions): Promise<ListedContainer[]> {
    return parseContainers(await this.#print('list', ['--format', 'json'], options))
  }

  /** Writes the state of the container's processes to a directory; ten minutes by default. */
  async checkpoint(id: string, options: CheckpointOptions & CommandOptions): Promise<void> {
    const args = [...checkpointArguments(options), checkContainerId(id)]
    await this.#run('checkpoint', args, options, { timeout: longTimeout })
  }

  /**
   * The features of the program, as the runtime specification's `features` document.
   * @throws unknown for a program without this command, such as runc before 1.1
   */
  async features(options?: CommandOptions): Promise<JsonObject> {
    return parseRuntimeFeatures(await this.#print('features', [], options))
  }

  async version(options?: CommandOptions): Promise<RuntimeVersion> {
    return parseVersion(await this.#exec('version', ['--version'], options, { prints: true }))
  }

  async #run(
    command: RuntimeCommand,
    args: readonly string[],
    options?: CommandOptions,
    extra: Partial<CommandRequest> = {},
  ): Promise<void> {
    await this.#exec(command, [...globalArguments(this.options), command, ...args], options, extra)
  }

  #print(command: RuntimeCommand, args: readonly string[], options?: CommandOptions): Promise<string> {
    return this.#exec(command, [...globalArguments(this.options), command, ...args], options, {
      prints: true,
    })
  }

  #exec(
    command: RuntimeCommand,
    args: readonly string[],
    options: CommandOptions = {},
    extra: Partial<CommandRequest> = {},
  ): Promise<string> {
    return runCommand({
      command,
      binary: this.options.binary ?? 'runc',
      cwd: this.options.bundle,
      log: logOf(this.options),
      args,
      prints: false,
      ...extra,
      timeout: options.timeout ?? extra.timeout ?? defaultTimeout,
      signal: options.signal,
    })
  }
}
