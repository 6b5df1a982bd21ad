import { mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { containerSpec } from '@nsbox/compliance/tasks'
import type { DomainEvent } from '@nsbox/core/events'
import type { OpaqueValue, RuntimeCheckpointOptions } from '@nsbox/core/tasks'
import { isNotFound } from '@nsbox/errors'
import { busyboxRootfs, type RootfsMount, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { openRuncRuntime } from '../open-runc-runtime.ts'
import type { Runc } from '../runc/runc.ts'
import type { RuncRuntime } from '../runc-runtime.ts'
import { runcOf } from '../tasks/create-task.ts'
import type { NamespaceTasks } from '../tasks/namespace-tasks.ts'
import { type FakeRunc, fakeRunc } from './fake-runc.ts'
import { waitUntil } from './wait-until.ts'

/** Counts in `/tmp/count`, as long as it runs. */
export const counting = 'i=0; while :; do i=$((i + 1)); echo $i > /tmp/count; sleep 0.01; done'

/** Counts, with so much memory that a checkpoint takes a while. */
export const countingBig = `{ head -c 100000000 /dev/zero; tail -f /dev/null; } | tail -n 1 & ${counting}`

const namespace = 'lab'

interface Spec {
  readonly linux: object
  readonly mounts: object[]
}

/** A runtime with one container, `x`, for tests of failures. */
export class CheckpointLab implements AsyncDisposable {
  readonly path: string
  readonly runc: FakeRunc
  readonly events: DomainEvent[] = []
  readonly warnings: string[] = []
  readonly #owned: AsyncDisposableStack
  readonly #rootfs: readonly RootfsMount[]
  #runtime: RuncRuntime | undefined

  static async create(): Promise<CheckpointLab> {
    await using making = new AsyncDisposableStack()
    const { path } = making.use(await tempDir('nsbox-checkpoint'))
    const rootfs = await busyboxRootfs(join(path, 'rootfs'))
    // For programs of the host.
    await mkdir(join(path, 'rootfs/usr'))
    for (const name of ['lib', 'lib64']) await symlink(`usr/${name}`, join(path, 'rootfs', name))
    await mkdir(join(path, 'fake'))
    const runc = await fakeRunc(join(path, 'fake'))
    return new CheckpointLab(path, runc, rootfs, making.move())
  }

  private constructor(
    path: string,
    runc: FakeRunc,
    rootfs: readonly RootfsMount[],
    owned: AsyncDisposableStack,
  ) {
    this.path = path
    this.runc = runc
    this.#rootfs = rootfs
    this.#owned = owned
  }

  get images(): string {
    return join(this.path, 'images')
  }

  /** The container's directory in the runtime's. */
  get bundle(): string {
    return join(this.path, 'runtime/bundles', namespace, 'x')
  }

  get tasks(): NamespaceTasks {
    return this.#runtime!.namespace(namespace)
  }

  /** The real runtime program, to look at the container without the tasks. */
  get real(): Runc {
    const root = join(this.path, 'runtime/runc', namespace)
    return runcOf({ binary: 'runc', root, systemdCgroup: false, noPivotRoot: false, noNewKeyring: false })
  }

  async open(images = this.images): Promise<void> {
    this.#runtime = await openRuncRuntime({
      directory: join(this.path, 'runtime'),
      images,
      binary: this.runc.binary,
      onEvent: (_namespace, event) => void this.events.push(event),
      onWarning: (message, error) => void this.warnings.push(`${message} ${error ?? ''}`),
    })
  }

  /** Options of `create` for a script of the container's shell, or of the host's perl. */
  options(script: string, { perl = false } = {}): { rootfs: readonly RootfsMount[]; spec: OpaqueValue } {
    const args = perl ? ['/usr/bin/perl', '-e', script] : ['sh', '-c', script]
    const { typeUrl, value } = containerSpec('x', { args })
    const spec = JSON.parse(new TextDecoder().decode(value)) as Spec
    Object.assign(spec.linux, {
      cgroupsPath: `/nsbox-checkpoint-${process.pid}`,
      devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666 }],
      resources: { devices: [{ allow: true, access: 'rwm' }] },
    })
    spec.mounts.push({ destination: '/usr', type: 'bind', source: '/usr', options: ['bind', 'ro'] })
    return { rootfs: this.#rootfs, spec: { typeUrl, value: Buffer.from(JSON.stringify(spec)) } }
  }

  async start(script = counting, shape: { perl?: boolean } = {}): Promise<void> {
    await this.tasks.create('x', this.options(script, shape))
    await this.tasks.start('x')
  }

  checkpoint(options: Partial<RuntimeCheckpointOptions> = {}): Promise<void> {
    return this.tasks.checkpoint('x', { images: async () => 'taken', ...options })
  }

  /** The container's count so far. */
  async count(): Promise<number> {
    return Number(await readFile(join(this.path, 'rootfs/tmp/count'), 'utf8').catch(() => '0'))
  }

  /** Files that checkpoints have left. */
  async left(): Promise<string[]> {
    const names = async (path: string) => await readdir(path).catch(() => [])
    const ofBundle = (await names(this.bundle)).filter((name) => /^(?:criu|checkpoint\.json.*)$/.test(name))
    return [...(await names(this.images)), ...ofBundle]
  }

  /** The processes of CRIU, or of the runtime, that make a checkpoint. */
  async dumpers(): Promise<number[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
    const lines = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    )
    return pids.filter((_, index) => lines[index]!.includes(this.images))
  }

  /** Waits until CRIU has stopped the processes. */
  async seized(): Promise<void> {
    const log = join(this.bundle, 'criu/dump.log')
    const said = async () => (await readFile(log, 'utf8').catch(() => '')).includes('network-lock')
    await waitUntil(said, 'the dump')
  }

  async counts(): Promise<void> {
    const before = await this.count()
    await waitUntil(async () => (await this.count()) > before, 'counting')
  }

  /** Closes the runtime, as a daemon that ends. */
  async close(): Promise<void> {
    await this.#runtime?.[Symbol.asyncDispose]()
    this.#runtime = undefined
  }

  /** Removes what a test has left. */
  async reset(): Promise<void> {
    for (const command of ['checkpoint', 'pause', 'resume', 'state', 'kill']) {
      await this.runc.set(command, undefined)
    }
    if (this.#runtime === undefined) await this.open()
    try {
      if ((await this.tasks.get('x')).status !== 'stopped') {
        await this.tasks.kill('x', 9, { all: true })
        await this.tasks.wait('x')
      }
      await this.tasks.delete('x')
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    await rm(join(this.path, 'rootfs/tmp/count'), { force: true })
    this.events.splice(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _owned = this.#owned
    try {
      await this.reset()
    } finally {
      await this.close()
    }
  }
}
