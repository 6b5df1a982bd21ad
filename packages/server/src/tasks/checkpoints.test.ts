import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fromBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { ConnectError, createClient } from '@connectrpc/connect'
import { fromConnectError, leaseHeader, namespaceHeader, packAny } from '@nsbox/api'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { openContentStore } from '@nsbox/content'
import type { Mount } from '@nsbox/core/snapshots'
import type {
  RuntimeCheckpointOptions,
  RuntimeTaskOptions,
  RuntimeTasks,
  TaskRuntime,
} from '@nsbox/core/tasks'
import { errorCode, NsboxError } from '@nsbox/errors'
import { type Metadata, openMetadata } from '@nsbox/metadata'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '@nsbox/oci'
import { rawEntry, rawTar, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { tasksRoutes } from '../routes/tasks.ts'
import { RunningSandboxes } from '../sandboxes/running-sandboxes.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'
import { tasksOf } from './tasks-of.ts'

const namespace = 'ns'
const spec = { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec', value: Buffer.from('{}') }

/** A runtime that only writes and reads images. */
class ImageRuntime {
  readonly #directory: string
  /** The images of a checkpoint. */
  images: Readonly<Record<string, string>> = { 'core-1.img': 'core', 'inventory.img': 'inventory' }
  /** The files that the last task was created from, by name; and its spec. */
  restored: Record<string, string> | undefined
  spec: unknown
  /** The parent's files of the last checkpoint. */
  parent: Record<string, string> | undefined
  /** The name of the last checkpoint in its event. */
  named: string | undefined
  /** An error for the runtime to throw once the images have been taken. */
  failure: Error | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  async create(_id: string, { spec, restore, signal }: RuntimeTaskOptions): Promise<{ pid: number }> {
    this.restored = restore && (await this.#within((path) => restore(path, { signal })))
    this.spec = spec
    return { pid: 0 }
  }

  async checkpoint(_id: string, options: RuntimeCheckpointOptions): Promise<void> {
    const { images, parent, signal, options: value } = options
    this.parent = parent && (await this.#within((path) => parent(path, { signal })))
    if (value !== undefined) return
    await this.#within(async (path) => {
      for (const [name, text] of Object.entries(this.images)) await writeFile(join(path, name), text)
      this.named = await images(path, { signal })
    })
    if (this.failure !== undefined) throw this.failure
  }

  async #within(work: (path: string) => Promise<void>): Promise<Record<string, string>> {
    const path = await mkdtemp(join(this.#directory, 'images-'))
    try {
      await work(path)
      const names = await readdir(path)
      const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')))
      return Object.fromEntries(names.map((name, n) => [name, texts[n]!]))
    } finally {
      await rm(path, { recursive: true })
    }
  }
}

describeWith({ linux: true }, 'checkpoints of tasks', () => {
  let resources: AsyncDisposableStack
  let root: string
  let metadata: Metadata
  let runtime: ImageRuntime
  let tasks: ReturnType<typeof createClient<typeof Tasks>>

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    root = resources.use(await tempDir('nsbox-checkpoints')).path
    const durability = 'relaxed'
    const content = resources.use(await openContentStore({ root: join(root, 'content'), durability }))
    // Nothing holds the blobs that tests store, and the first collection would come within a tenth of a second.
    const collector = { startupDelay: 3_600_000, scheduleDelay: 3_600_000 }
    const path = join(root, 'metadata.db')
    metadata = resources.use(await openMetadata({ path, content, durability, collector }))
    await metadata.namespace(namespace).containers.create({
      id: 'one',
      spec,
      runtime: { name: 'io.containerd.runc.v2' },
    })
    await mkdir(join(root, 'runtime'))
    runtime = new ImageRuntime(join(root, 'runtime'))
    const parts = {
      metadata,
      snapshotters: [],
      runtime: { namespace: () => runtime as unknown as RuntimeTasks } as Pick<TaskRuntime, 'namespace'>,
      mounts: {
        forTask: async (_namespace: string, _id: string, rootfs: readonly Mount[]) => ({
          mounts: rootfs,
          isActivated: false,
        }),
        endTask: async () => {},
      },
      sandboxes: new RunningSandboxes({
        directory: join(root, 'sandboxes'),
        isKnownRuntime: () => false,
        onEvent: () => undefined,
      }),
    }
    const served = resources.use(await serveRoutes((router) => tasksRoutes(router, tasksOf(parts))))
    const client = socketTransport(served.address)
    resources.defer(() => client[Symbol.dispose]())
    tasks = createClient(Tasks, client.transport)
  })
  afterEach(() => resources.disposeAsync())

  const view = (lease?: string) => metadata.namespace(namespace, { lease })
  const headers = (lease?: string) => ({
    headers: { [namespaceHeader]: namespace, ...(lease && { [leaseHeader]: lease }) },
  })
  const checkpoint = (lease?: string, parentCheckpoint = '') =>
    tasks.checkpoint({ containerId: 'one', parentCheckpoint }, headers(lease))
  const create = async (bytes: Uint8Array, descriptor: Partial<Descriptor> = {}) => {
    const digest = digestOf(bytes)
    await using writer = await view().content.writer({ ref: digest })
    await writer.write(bytes)
    await writer.commit()
    await createFrom({ mediaType: mediaTypes.checkpointCriu, digest, size: bytes.length, ...descriptor })
  }
  const createFrom = ({ mediaType, digest, size }: Descriptor) =>
    tasks.create({ containerId: 'one', checkpoint: { mediaType, digest, size: BigInt(size) } }, headers())
  /** What a call leaves, failed or not. */
  const leftovers = async () => ({
    ingests: (await view().content.statuses()).length,
    leases: (await view().leases.list()).length,
    directories: (await readdir(join(root, 'runtime'))).length,
  })
  const none = { ingests: 0, leases: 0, directories: 0 }
  const code = (value: string) =>
    expect.toSatisfy(
      (error) => errorCode(error instanceof ConnectError ? fromConnectError(error) : error) === value,
    )

  it('are an archive and the spec, and are gone on from', async () => {
    const { descriptors } = await checkpoint()
    expect(descriptors.map(({ mediaType }) => mediaType)).toEqual([
      mediaTypes.checkpointCriu,
      mediaTypes.checkpointConfig,
    ])
    const [archive, config] = descriptors
    const bytes = await buffer(view().content.read(config!.digest as Digest))
    expect(BigInt(bytes.length)).toBe(config!.size)
    const { typeUrl, value } = fromBinary(AnySchema, bytes)
    expect({ typeUrl, value: Buffer.from(value) }).toEqual(spec)
    expect(runtime.named).toBe(archive!.digest)
    await tasks.create({ containerId: 'one', checkpoint: archive! }, headers())
    expect(runtime.restored).toEqual(runtime.images)
    expect(runtime.spec).toEqual(spec)
    // A second checkpoint of the same images has the same blobs.
    expect((await checkpoint()).descriptors).toEqual(descriptors)
    expect((await leftovers()).ingests).toBe(0)
  })

  it('are held by the lease of the caller, or by one of their own until something else holds them', async () => {
    const { id: lease } = await view().leases.create()
    const { descriptors } = await checkpoint(lease)
    const digests = descriptors.map(({ digest }) => digest).sort()
    const held = async (id: string) => (await view().leases.resources(id)).map((resource) => resource.id)
    expect(await held(lease)).toEqual(digests)
    await view().leases.delete(lease, { sync: true })
    await expect(view().content.info(digests[0] as Digest)).rejects.toThrow(code('not_found'))
    await checkpoint()
    const [own, ...others] = await view().leases.list()
    expect(others).toEqual([])
    expect(await held(own!.id)).toEqual(digests)
    const expiry = Date.parse(own!.labels['containerd.io/gc.expire']!)
    expect(expiry).toBeGreaterThan(Date.now() + 60_000)
    await metadata.collect()
    await view().content.info(digests[0] as Digest)
    await expect(checkpoint('no-such-lease')).rejects.toThrow(code('not_found'))
  })

  it('go to the directory that the options name, and nowhere else', async () => {
    const options = packAny(CheckpointOptionsSchema, { imagePath: '/some/where' })
    expect((await tasks.checkpoint({ containerId: 'one', options }, headers())).descriptors).toEqual([])
    expect(await leftovers()).toEqual(none)
  })

  it('add to earlier ones', async () => {
    const [archive] = (await checkpoint()).descriptors
    await checkpoint(undefined, archive!.digest)
    expect(runtime.parent).toEqual(runtime.images)
    await expect(checkpoint(undefined, digestOf('none'))).rejects.toThrow(code('not_found'))
    await expect(checkpoint(undefined, 'none')).rejects.toThrow(code('invalid_argument'))
  })

  it('that fail leave neither ingests nor leases', async () => {
    runtime.failure = new NsboxError('failed_precondition', 'of the runtime')
    await expect(checkpoint()).rejects.toThrow(code('failed_precondition'))
    expect(await leftovers()).toEqual(none)
    await expect(tasks.checkpoint({ containerId: 'none' }, headers())).rejects.toThrow(code('not_found'))
  })

  it('D11 are taken for what they are by no other name, size or digest', async () => {
    const bytes = rawTar(rawEntry({ name: 'core-1.img', content: 'core' }))
    await expect(create(bytes, { mediaType: mediaTypes.ociLayer })).rejects.toThrow(code('invalid_argument'))
    const digest = digestOf(bytes)
    const whole = { mediaType: mediaTypes.checkpointCriu, digest, size: bytes.length }
    await expect(createFrom({ ...whole, size: 1 })).rejects.toThrow(code('invalid_argument'))
    await expect(createFrom({ ...whole, digest: digestOf('none') })).rejects.toThrow(code('not_found'))
    await createFrom(whole)
    expect(runtime.restored).toEqual({ 'core-1.img': 'core' })
    // The bytes on the disk are changed.
    const path = join(root, 'content/blobs/sha256', digest.slice('sha256:'.length))
    const changed = Buffer.from(bytes)
    changed.write('evil', 512)
    await writeFile(path, changed)
    await expect(createFrom(whole)).rejects.toThrow(code('data_loss'))
    await writeFile(path, bytes.subarray(0, 1024))
    await expect(createFrom(whole)).rejects.toThrow(code('data_loss'))
    expect(await leftovers()).toEqual(none)
  })

  it('D11 name what is wrong with them, leave nothing, and say nothing of spec and images', async () => {
    const inside = rawEntry({ name: 'config.json', content: '{"evil":true}' })
    const link = rawEntry({ name: 'container.log', type: '2', linkName: '/etc/shadow' })
    await expect(create(rawTar(inside, link))).rejects.toThrow(/container\.log.*a symlink: invalid argument/)
    await expect(create(rawTar(rawEntry({ name: '../../x' })))).rejects.toThrow(/\.\.\/x/)
    expect(await leftovers()).toEqual(none)
    await create(rawTar(inside, rawEntry({ name: 'spec.dump', content: '{}' })))
    expect(runtime.spec).toEqual(spec)
    expect(await view().images.list()).toEqual([])
  })
})
