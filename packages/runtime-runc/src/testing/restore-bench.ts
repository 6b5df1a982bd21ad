import { execFile } from 'node:child_process'
import { constants, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { type FileHandle, mkdir, open, rmdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { packAny } from '@nsbox/api'
import { OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { containerSpec } from '@nsbox/compliance/tasks'
import type { DomainEvent } from '@nsbox/core/events'
import type { OpaqueValue, ProcessIo, RuntimeTaskOptions } from '@nsbox/core/tasks'
import { isErrno } from '@nsbox/errors'
import { busyboxRootfs, type FifoReader, type RootfsMount, readFifo, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type OpenRuncRuntimeOptions, openRuncRuntime } from '../open-runc-runtime.ts'
import type { CheckpointOptions } from '../runc/checkpoint.ts'
import { Runc } from '../runc/runc.ts'
import type { RuncRuntime } from '../runc-runtime.ts'
import type { NamespaceTasks } from '../tasks/namespace-tasks.ts'

/** Options of a container of the bench. */
export interface BenchContainer {
  readonly terminal?: boolean | undefined
  /** Types of namespaces; those of the suite by default. */
  readonly namespaces?: readonly string[] | undefined
  /** Added to those of every container. */
  readonly mounts?: readonly object[] | undefined
  /** Keys of the spec that are replaced. */
  readonly spec?: Readonly<Record<string, unknown>> | undefined
}

/** FIFOs and the client's other ends. */
export interface BenchIo {
  readonly io: ProcessIo
  readonly stdin: FileHandle
  stdout: FifoReader
}

/** Counts in `/tmp/count` and on standard output, a line for each step. */
export const counter = [
  'sh',
  '-c',
  'i=0; while :; do i=$((i+1)); echo $i >> /tmp/count; echo $i; sleep 0.01; done',
]

/** Repeats its input, and ends with it. */
export const echo = ['sh', '-c', 'while read line; do echo "got $line"; done; exit 7']

/** A runtime with directories of its own, and helpers to dump and restore tasks. */
export class RestoreBench implements AsyncDisposable {
  readonly path: string
  readonly events: DomainEvent[] = []
  readonly warnings: unknown[] = []
  readonly #resources: AsyncDisposableStack
  readonly #binary: string | undefined
  #runtime: RuncRuntime | undefined
  #count = 0

  /** @param binary makes a program to use in place of runc */
  static async open(binary?: (directory: string) => Promise<string>): Promise<RestoreBench> {
    await using opening = new AsyncDisposableStack()
    const { path } = opening.use(await tempDir('nsbox-restore'))
    const bench = new RestoreBench(path, await binary?.(path), opening.move())
    await bench.reopen()
    return bench
  }

  private constructor(path: string, binary: string | undefined, resources: AsyncDisposableStack) {
    this.path = path
    this.#binary = binary
    this.#resources = resources
  }

  get runtime(): RuncRuntime {
    return this.#runtime!
  }

  get tasks(): NamespaceTasks {
    return this.runtime.namespace('bench')
  }

  /** Parent of the containers' cgroups. */
  get cgroup(): string {
    return `nsbox-restore-${process.pid}-${basename(this.path)}`
  }

  /** Directory of images that belong to the runtime. */
  get images(): string {
    return join(this.path, 'runtime/images')
  }

  /** The program, as the runtime uses it. */
  get runc(): Runc {
    return new Runc({ root: join(this.path, 'runtime/runc/bench') })
  }

  /** Directory of the runtime's state. */
  get directory(): string {
    return join(this.path, 'runtime')
  }

  /** Pids of running supervisors. */
  supervisors(): number[] {
    return readdirSync('/proc').flatMap((name) =>
      /^\d+$/.test(name) && commandLine(name).includes(`--directory\0${this.directory}/`)
        ? [Number(name)]
        : [],
    )
  }

  /** Closes the runtime, as a daemon that ends. */
  async leave(): Promise<void> {
    await this.#runtime?.[Symbol.asyncDispose]()
    this.#runtime = undefined
  }

  /** Opens the runtime, as the next daemon. */
  async reopen(options: Partial<OpenRuncRuntimeOptions> = {}): Promise<void> {
    await this.leave()
    this.#runtime = await openRuncRuntime({
      directory: this.directory,
      ...(this.#binary === undefined ? {} : { binary: this.#binary }),
      onEvent: (_namespace, event) => void this.events.push(event),
      onWarning: (...warning) => void this.warnings.push(warning),
      ...options,
    })
  }

  /** Makes a root filesystem, or a copy of one. */
  async rootfs(of?: readonly RootfsMount[]): Promise<RootfsMount[]> {
    const source = join(this.path, `rootfs-${++this.#count}`)
    if (of === undefined) return await busyboxRootfs(source)
    cpSync(of[0]!.source, source, { recursive: true, verbatimSymlinks: true })
    return [{ ...of[0]!, source }]
  }

  spec(
    id: string,
    args: readonly string[],
    { terminal, namespaces, mounts = [], spec }: BenchContainer = {},
  ): OpaqueValue {
    const made = containerSpec(id, { args, terminal })
    const object = JSON.parse(new TextDecoder().decode(made.value)) as {
      linux: object
      mounts: object[]
    }
    const types = namespaces && { namespaces: namespaces.map((type) => ({ type })) }
    const linux = { ...object.linux, cgroupsPath: `/${this.cgroup}/${id}`, ...types }
    return {
      ...made,
      value: new TextEncoder().encode(
        JSON.stringify({ ...object, linux, mounts: [...object.mounts, ...mounts], ...spec }),
      ),
    }
  }

  /** Runs a container that counts until it is dumped. @returns the directory of images, and its root filesystem */
  async counted(id = 'one'): Promise<{ readonly images: string; readonly rootfs: RootfsMount[] }> {
    const rootfs = await this.rootfs()
    await this.tasks.create(id, { rootfs, spec: this.spec(id, counter) })
    await this.tasks.start(id)
    while (!existsSync(join(rootfs[0]!.source, 'tmp/count'))) await delay(5)
    const images = await this.dump(id)
    this.events.length = 0
    return { images, rootfs }
  }

  /** Makes FIFOs, with a client at the other end of each. */
  async io(terminal = false): Promise<BenchIo> {
    const base = join(this.path, `fifo-${++this.#count}`)
    const io = { stdin: `${base}-in`, stdout: `${base}-out`, stderr: '', terminal }
    await promisify(execFile)('mkfifo', [io.stdin, io.stdout])
    const stdout = readFifo(io.stdout)
    this.#resources.defer(() => stdout.stop())
    const stdin = await open(io.stdin, constants.O_RDWR)
    this.#resources.defer(() => stdin.close().catch(() => undefined))
    return { io, stdin, stdout }
  }

  /** Reads the output anew, as a client whose first attempt has failed. */
  readAgain(of: BenchIo): void {
    of.stdout = readFifo(of.io.stdout)
    const { stdout } = of
    this.#resources.defer(() => stdout.stop())
  }

  /** Dumps a running task, which ends, and deletes it. @returns the directory of images */
  async dump(id: string, options: Pick<CheckpointOptions, 'fileLocks'> = {}): Promise<string> {
    const images = join(this.path, `images-${++this.#count}`)
    await mkdir(images)
    await this.runc.checkpoint(id, { imagePath: images, workPath: `${images}.work`, ...options })
    await this.tasks.wait(id)
    await this.tasks.delete(id)
    return images
  }

  /** Options of the runtime to restore a task from a directory of images. */
  from(criuImagePath: string, more: { criuWorkPath?: string } = {}): OpaqueValue {
    return packAny(OptionsSchema, { criuImagePath, ...more })
  }

  /** Writes a copy of images, as a caller that keeps them elsewhere. */
  copyOf(images: string): NonNullable<RuntimeTaskOptions['restore']> {
    return async (directory) => cpSync(images, directory, { recursive: true })
  }

  /** The numbers that a counter has written. */
  countOf(rootfs: readonly RootfsMount[]): number[] {
    return numbers(readFileSync(join(rootfs[0]!.source, 'tmp/count'), 'utf8'))
  }

  /** What is left of containers: bundles, images, the runtime's state, mounts, cgroups, processes. */
  left(): string[] {
    const inside = (place: string) => {
      const path = join(this.path, 'runtime', place)
      return existsSync(path) ? readdirSync(path).map((name) => `${place}/${name}`) : []
    }
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
    return [
      ...['bundles/bench', 'images', 'runc/bench'].flatMap(inside),
      ...mounts.filter((line) => line.includes(this.path)),
      ...this.processes().map((pid) => `process ${pid}`),
      ...this.#cgroups().flatMap((path) =>
        readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
          entry.isDirectory() ? [join(path, entry.name)] : [],
        ),
      ),
    ]
  }

  /** Processes in the cgroups of the bench's containers, and CRIU working for them. */
  processes(): number[] {
    return readdirSync('/proc').flatMap((name) => {
      const pid = Number(name)
      if (!Number.isInteger(pid)) return []
      try {
        const cgroups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
        const status = readFileSync(`/proc/${pid}/status`, 'utf8')
        return cgroups.includes(`/${this.cgroup}/`) && !/^State:\s+[ZX]/m.test(status) ? [pid] : []
      } catch {
        // It has ended since.
        return []
      }
    })
  }

  topics(): string[] {
    return this.events.map(({ topic }) => topic)
  }

  /** The parents of the containers' cgroups, which runc leaves. */
  #cgroups(): string[] {
    const hierarchies = ['', ...readdirSync('/sys/fs/cgroup')]
    return hierarchies
      .map((name) => join('/sys/fs/cgroup', name, this.cgroup))
      .filter((path) => existsSync(path))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#runtime === undefined) await this.reopen()
    await this.runtime.endAll()
    await this.leave()
    for (const path of this.#cgroups()) await rmdir(path)
    await this.#resources.disposeAsync()
  }
}

/** The numbers of complete lines. */
export function numbers(text: string): number[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(line))
}

/** That of a process; empty if it is gone. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return ''
    throw error
  }
}
