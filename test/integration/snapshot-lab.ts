import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ClientView, connect } from '@nsbox/client'
import type { DiffMount } from '@nsbox/core/diff'
import type { CreateTaskOptions } from '@nsbox/core/tasks'
import { errorCode, isNotFound } from '@nsbox/errors'
import { type Descriptor, digestOf, mediaTypes } from '@nsbox/oci'
import {
  buildSpec,
  defaultSpec,
  encodeSpec,
  type SpecOption,
  withEnv,
  withProcessArgs,
} from '@nsbox/oci/runtime-spec'
import { busyboxLayer, busyboxRootfs, type RootfsMount, removeCgroup, tar, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

/** A container and its task. */
export interface WantedTask extends CreateTaskOptions {
  readonly args?: readonly string[]
  readonly spec?: readonly SpecOption[]
}

/** A layer in memory. */
export interface LayerBlob extends Descriptor {
  readonly bytes: Uint8Array
}

/** The key of the snapshot that `unpacked` makes. */
export const key = 'work'

/** A server with namespaces that share layers, and what one that means no good does there. */
export class SnapshotLab implements AsyncDisposable {
  readonly server: TestServer
  readonly scratch: string
  /** A layer with busybox. */
  readonly layer: LayerBlob
  /** A layer with the file `evil`. */
  readonly other: LayerBlob
  /** Where containers are made: the attacker's namespace, under the lease of the test that has asked for one. */
  client: ClientView
  readonly #attacker: string
  readonly #rootfs: readonly RootfsMount[]
  readonly #owned: AsyncDisposableStack

  /** @param attacker the namespace of containers, for it alone; it names a cgroup */
  static async open(attacker: string): Promise<SnapshotLab> {
    await using opening = new AsyncDisposableStack()
    const scratch = opening.use(await tempDir('nsbox-hostile')).path
    const rootfs = await busyboxRootfs(join(scratch, 'rootfs'))
    for (const name of ['rootfs/mnt', 'work']) await mkdir(join(scratch, name))
    opening.defer(() => removeCgroup(attacker))
    const server = opening.use(await startServer())
    const client = opening.use(connect({ address: server.address, namespace: attacker }))
    const directory = (name: string) => ({ type: 'directory', name }) as const
    const layer = await blobOf(tar([...(await busyboxLayer()).entries, ...['run', 'mnt'].map(directory)]))
    const other = await blobOf(tar([{ name: 'evil', content: 'evil' }]))
    return new SnapshotLab({ attacker, scratch, rootfs, server, client, layer, other }, opening.move())
  }

  private constructor(
    parts: Pick<SnapshotLab, 'scratch' | 'server' | 'client' | 'layer' | 'other'> & {
      readonly attacker: string
      readonly rootfs: readonly RootfsMount[]
    },
    owned: AsyncDisposableStack,
  ) {
    this.#attacker = parts.attacker
    this.scratch = parts.scratch
    this.#rootfs = parts.rootfs
    this.server = parts.server
    this.client = parts.client
    this.layer = parts.layer
    this.other = parts.other
    this.#owned = owned
  }

  /** A namespace under a lease of its own. */
  async tenant(namespace: string): Promise<ClientView> {
    const view = this.client.withNamespace(namespace)
    const { id } = await view.leases.create()
    return view.withLease(id)
  }

  /** The attacker's namespace under a lease of its own, which `client` is from now on. */
  async attack(): Promise<ClientView> {
    this.client = await this.tenant(this.#attacker)
    return this.client
  }

  /** An active snapshot, to which the server has applied the good layer. @returns its directory */
  async unpacked(): Promise<string> {
    await store(this.client, this.layer)
    await store(this.client, this.other)
    const mounts = await this.client.snapshotter().prepare(key, undefined)
    await this.client.applier.apply(this.layer, mounts)
    return mounts[0]!.source
  }

  async start(
    id: string,
    { args = ['sleep', '1000'], spec = [], ...task }: WantedTask = {},
    snapshotKey = '',
  ): Promise<void> {
    const wishes = [withProcessArgs(args), withEnv(['PATH=/bin']), ...spec]
    await this.client.containers.create({
      id,
      spec: {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
        value: encodeSpec(buildSpec(defaultSpec({ id, namespace: this.#attacker }), wishes)),
      },
      runtime: { name: 'io.containerd.runc.v2' },
      ...(snapshotKey === '' ? {} : { snapshotter: 'overlayfs', snapshotKey }),
    })
    await this.client.tasks.create(id, snapshotKey === '' ? { rootfs: this.#rootfs, ...task } : task)
    await this.client.tasks.start(id)
  }

  async end(id: string): Promise<void> {
    const { tasks } = this.client
    await tasks.kill(id, 9).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    if ((await tasks.get(id)).status !== 'created') await tasks.wait(id)
    await tasks.delete(id)
  }

  /** Ends and removes all that a test has made. */
  async clear(): Promise<void> {
    for (const { containerId } of await this.client.tasks.list()) await this.end(containerId)
    for await (const { id } of this.client.containers.list()) await this.client.containers.delete(id)
    for (const namespace of [this.#attacker, 'victim', 'third']) {
      const { leases } = this.client.withNamespace(namespace)
      for (const { id } of await leases.list()) await leases.delete(id, { sync: true })
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}

/** Opens a lab for the tests of a block, each of which leaves nothing in it. */
export function useSnapshotLab(attacker: string): () => SnapshotLab {
  let lab: SnapshotLab
  beforeAll(async () => {
    lab = await SnapshotLab.open(attacker)
  })
  afterEach(() => lab.clear())
  afterAll(() => lab[Symbol.asyncDispose]())
  return () => lab
}

/** The code by which an attempt is refused, or `done`. */
export const refusal = (attempt: Promise<unknown>): Promise<string | undefined> =>
  attempt.then(() => 'done', errorCode)

export const bind = (source: string, ...options: string[]): DiffMount => ({ type: 'bind', source, options })

async function blobOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<LayerBlob> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  const bytes = Buffer.concat(all)
  return { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.length, bytes }
}

async function store(view: ClientView, { bytes, digest }: LayerBlob): Promise<void> {
  const writer = await view.content.writer({ ref: digest, expected: digest }).catch(() => undefined)
  if (writer === undefined) return
  if (writer.status().offset === 0) await writer.write(bytes)
  await writer.commit({ expected: digest })
}
