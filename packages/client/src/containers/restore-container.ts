import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import { type Descriptor, defaultPlatform, type Platform } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type Checkpoint, readCheckpoint } from '../checkpoint/checkpoint-index.ts'
import type { CheckpointStores } from '../checkpoint/checkpoint-stores.ts'
import { restoredRuntime } from '../checkpoint/restored-runtime.ts'
import { restoredSpec } from '../checkpoint/restored-spec.ts'
import { snapshotterFromEnvironment } from '../messages/snapshotter-name.ts'
import type { TaskHandle } from '../task/task-handle.ts'
import { ContainerHandle, type NewTaskOptions } from './container-handle.ts'
import { describeImage } from './image-description.ts'
import { removeContainer } from './remove-container.ts'

/** How to unpack an image. */
export interface UnpackRequest extends AbortOptions {
  readonly platform: Platform
  /** Name of the snapshotter. */
  readonly snapshotter: string
  /** Lease that holds what is made meanwhile. */
  readonly lease: string
}

/** How to restore a container. */
export interface RestoreContainerOptions extends AbortOptions {
  /** Apply the layer that the container had on top of its image; by default if the checkpoint has one. */
  readonly rw?: boolean | undefined
  /**
   * Whether the checkpoint's author may make any container: with any runtime, and any file and device of the host. Not
   * by default, which refuses a spec and a runtime that reach more than the defaults. Memory is trusted whenever it is
   * restored: CRIU believes its images.
   */
  readonly trusted?: boolean | undefined
  /** The spec in place of the checkpoint's: it is taken as it is. */
  readonly spec?: OpaqueValue | undefined
  /** Name of the snapshotter; that of the checkpoint by default. */
  readonly snapshotter?: string | undefined
  /** Labels of the container; none by default. */
  readonly labels?: Labels | undefined
  /** Unpacks an image; by default it must have been unpacked. */
  readonly unpack?: ((image: Descriptor, request: UnpackRequest) => Promise<unknown>) | undefined
}

/** How to restore a container with its task. */
export interface RestoreOptions
  extends RestoreContainerOptions,
    Omit<NewTaskOptions, 'checkpoint' | 'rootfs'> {
  /** Resume the task where it was instead of starting anew; by default if the checkpoint has memory. */
  readonly live?: boolean | undefined
}

/** As `ClientView.restore`. */
export async function restore(
  stores: CheckpointStores,
  id: string,
  from: string | Descriptor,
  options: RestoreOptions = {},
): Promise<TaskHandle> {
  const { signal } = options
  const target = typeof from === 'string' ? (await stores.images.get(from, { signal })).target : from
  const checkpoint = await readCheckpoint(stores.content, target, { signal })
  const live = options.live ?? checkpoint.memory !== undefined
  const memory = live ? partOf(checkpoint, 'memory') : undefined
  await using undo = new AsyncDisposableStack()
  const container = await restoreContainer(stores, id, checkpoint, options)
  undo.defer(() => removeContainer(stores, container))
  const { options: runtimeOptions, runtimePath, stdin, output, fifoDirectory, terminal } = options
  const task = await new ContainerHandle(id, stores).createTask({
    ...{ runtimePath, stdin, output, fifoDirectory, terminal, signal },
    options: runtimeOptions,
    checkpoint: memory,
  })
  undo.move()
  return task
}

/**
 * Makes a container from a checkpoint, with a snapshot of its own. After an error nothing is left.
 * @throws as `restore`
 */
async function restoreContainer(
  stores: CheckpointStores,
  id: string,
  checkpoint: Checkpoint,
  options: RestoreContainerOptions = {},
): Promise<Container> {
  const { trusted = false, labels, signal } = options
  const { namespace } = stores
  const runtime = restoredRuntime(checkpoint, { trusted })
  const spec = options.spec ?? restoredSpec(partOf(checkpoint, 'spec'), { id, namespace, trusted })
  const rw = options.rw === true ? partOf(checkpoint, 'rw') : options.rw === false ? undefined : checkpoint.rw
  const snapshotterName = options.snapshotter ?? checkpoint.snapshotter ?? snapshotterFromEnvironment()
  await using lease = await stores.createLease({ signal })
  const leased = lease.client
  const snapshotter = leased.snapshotter(snapshotterName)
  await using undo = new AsyncDisposableStack()
  const unpack = (image: Descriptor, platform: Platform) =>
    options.unpack?.(image, { platform, snapshotter: snapshotterName, lease: lease.id, signal })
  const mounts = await prepare(leased, id, { checkpoint, snapshotter, unpack, signal })
  undo.defer(() => snapshotter.remove(id))
  if (rw) await leased.applier.apply(rw, mounts, { signal })
  const container = await leased.containers.create(
    {
      id,
      image: checkpoint.imageName ?? '',
      snapshotter: snapshotterName,
      snapshotKey: id,
      runtime,
      spec,
      labels,
    },
    { signal },
  )
  undo.move()
  return container
}

/** Makes a snapshot on top of the image, for which no image record is made. */
async function prepare(
  { content, images }: CheckpointStores,
  id: string,
  {
    checkpoint,
    snapshotter,
    unpack,
    signal,
  }: {
    readonly checkpoint: Checkpoint
    readonly snapshotter: Snapshotter
    readonly unpack: (image: Descriptor, platform: Platform) => Promise<unknown> | undefined
  } & AbortOptions,
): Promise<Mount[]> {
  const platform = defaultPlatform()
  const image = checkpoint.image ?? (await images.get(partOf(checkpoint, 'imageName'), { signal })).target
  const { chainId } = await describeImage(content, image, { platform, signal })
  const unpacked =
    chainId === undefined || (await undefinedIf(isNotFound, snapshotter.stat(chainId, { signal })))
  if (!unpacked) {
    const unpacking = unpack(image, platform)
    if (unpacking === undefined)
      throw new NsboxError('failed_precondition', `image ${image.digest} is not unpacked`)
    await unpacking
  }
  return await snapshotter.prepare(id, chainId, { signal })
}

const parts = {
  memory: ['not_found', 'memory of a task'],
  rw: ['not_found', 'layer on top of its image'],
  spec: ['failed_precondition', 'spec of its container'],
  imageName: ['failed_precondition', 'image'],
} as const

function partOf<Name extends keyof typeof parts>(
  checkpoint: Checkpoint,
  name: Name,
): NonNullable<Checkpoint[Name]> {
  const part = checkpoint[name]
  if (part !== undefined) return part
  const [code, what] = parts[name]
  throw new NsboxError(code, `checkpoint ${checkpoint.target.digest} has no ${what}`)
}
