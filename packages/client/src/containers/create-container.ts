import { randomBytes } from 'node:crypto'
import type { Container, ContainerRuntime } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import type { Mount } from '@nsbox/core/snapshots'
import { defaultPlatform, type Platform } from '@nsbox/oci'
import { encodeSpec, imageLabels, type Spec } from '@nsbox/oci/runtime-spec'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { snapshotterFromEnvironment } from '../messages/snapshotter-name.ts'
import type { PullOptions } from '../transfer-options.ts'
import type { ContainerStores } from './container-stores.ts'
import { type ImageInUse, type ImageRequest, useImage } from './image-in-use.ts'
import { imageSpec, type ProcessOptions } from './image-spec.ts'

/** Type of an OCI spec as JSON. */
const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'

/** The runtime of containers that name none. */
const defaultRuntime = 'io.containerd.runc.v2'

/** What of a pull may be chosen for a container's image. */
type ImagePullOptions = Omit<PullOptions, 'name' | 'platforms' | 'unpack' | 'signal'>

/** What container to make of an image. */
export interface CreateContainerOptions extends ProcessOptions, AbortOptions {
  /** Name of the image, in full, such as `docker.io/library/redis:latest`. */
  readonly image: string
  /** Id of the container; a random one by default. */
  readonly id?: string | undefined
  /** Linux on this machine's processor by default. */
  readonly platform?: Platform | undefined
  /** Name of the snapshotter; `CONTAINERD_SNAPSHOTTER` by default, else `overlayfs`. */
  readonly snapshotter?: string | undefined
  /** How to pull the image where it is missing; `false` to fail with `not_found`. */
  readonly pull?: ImagePullOptions | false | undefined
  /** Name and options of the runtime; runc by default. */
  readonly runtime?: ContainerRuntime | undefined
  /** Labels beside those of the image. */
  readonly labels?: Labels | undefined
}

/** What a program does itself for a container, such as one that can mount the image's files. */
export interface ContainerWork {
  /** Unpacks an image whose content is there. */
  readonly unpack?: ImageRequest['unpack']
  /** The parent and the labels of the container's snapshot; the image by default. @param leased holds what is made */
  readonly base?: (image: ImageInUse, leased: ContainerStores) => Promise<SnapshotBase>
  /** Puts files into the snapshot. @param leased as above */
  readonly fill?: (image: ImageInUse, mounts: readonly Mount[], leased: ContainerStores) => Promise<void>
  /** The spec, in place of the one that the options and the image make. */
  readonly spec?: (image: ImageInUse | undefined, mounts: readonly Mount[]) => Promise<Spec>
  /** The runtime with options that follow from the spec. */
  readonly adaptRuntime?: (runtime: ContainerRuntime, spec: Spec) => ContainerRuntime
  /** Told of a label of the image that is left out, in a line. */
  readonly onWarning?: ((warning: string) => void) | undefined
  readonly sandbox?: string | undefined
  readonly extensions?: Container['extensions']
}

/** What a container's snapshot is made on. */
export interface SnapshotBase {
  readonly parent: string | undefined
  readonly labels: Labels
}

/** Options of a container, whose image may be missing if the program makes the spec itself. */
export type OwnContainerOptions = Omit<CreateContainerOptions, 'image'> & {
  readonly image?: string | undefined
} & ContainerWork

/**
 * Makes a container, with a snapshot of its image under the same name. A lease holds what is made until the container
 * does. After an error nothing is left but what was pulled.
 *
 * @throws `already_exists`; `not_found` for the image; as `useImage` and `imageSpec`
 */
export async function createContainer(
  view: ContainerStores,
  options: OwnContainerOptions,
): Promise<Container> {
  const { id = randomBytes(8).toString('hex'), runtime = { name: defaultRuntime }, signal } = options
  await using lease = await view.createLease({ signal })
  const leased = lease.client
  await using undo = new AsyncDisposableStack()
  const image = await imageOf(leased, options)
  let mounts: readonly Mount[] = []
  if (image) {
    const { parent, labels } = (await options.base?.(image, leased)) ?? { parent: image.chainId, labels: {} }
    mounts = await image.snapshotter.prepare(id, parent, { labels, signal })
    undo.defer(() => image.snapshotter.remove(id))
    await options.fill?.(image, mounts, leased)
  }
  const { namespace } = view
  const spec = (await options.spec?.(image, mounts)) ?? imageSpec({ namespace, id, image }, options)
  const container = await leased.containers.create(
    {
      id,
      image: image?.name,
      snapshotter: image?.snapshotterName,
      snapshotKey: image && id,
      runtime: options.adaptRuntime?.(runtime, spec) ?? runtime,
      spec: { typeUrl: specType, value: encodeSpec(spec) },
      labels: { ...labelsOf(image, options.onWarning), ...options.labels },
      sandbox: options.sandbox,
      extensions: options.extensions,
    },
    { signal },
  )
  undo.move()
  return container
}

/** The image of a container that is to be made, unpacked. @param leased a view whose lease holds what that makes */
export async function imageOf(
  leased: ContainerStores,
  {
    image: name,
    platform = defaultPlatform(),
    pull = {},
    signal,
    snapshotter = snapshotterFromEnvironment(),
    unpack,
  }: Pick<OwnContainerOptions, 'image' | 'platform' | 'pull' | 'signal' | 'snapshotter' | 'unpack'>,
): Promise<ImageInUse | undefined> {
  if (name === undefined) return undefined
  const pulling = (options: AbortOptions) =>
    leased.pull(name, { ...(pull || {}), ...options, platforms: [platform], unpack: { snapshotter } })
  return await useImage(leased, {
    ...{ name, platform, snapshotter, unpack, signal },
    pull: pull === false ? undefined : pulling,
  })
}

/** The labels of the image; those that an image must not set are left out (docs/threat-model.md B09). */
function labelsOf(image: ImageInUse | undefined, onWarning: ContainerWork['onWarning']): Labels {
  if (image === undefined) return {}
  const { labels, warnings } = imageLabels(image.config.config)
  for (const warning of warnings) onWarning?.(warning)
  return labels
}
