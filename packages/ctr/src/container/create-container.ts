import { resolve } from 'node:path'
import {
  createContainer as createThere,
  type ImageInUse,
  imageOf,
  type SnapshotBase,
} from '@nsbox/client/containers'
import type { Container } from '@nsbox/core/containers'
import type { Mount } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import type { Spec } from '@nsbox/oci/runtime-spec'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { networkExtension } from '../network/network-extension.ts'
import { parseLabels } from '../parse-labels.ts'
import { complain } from '../print.ts'
import type { Session } from '../session.ts'
import { unpackImage } from '../unpack-image.ts'
import type { ContainerFlags } from './container-flags.ts'
import type { ContainerRequest } from './container-request.ts'
import { containerSpec } from './container-spec.ts'
import { applyCheckpoint, type UsedCheckpoint } from './from-checkpoint.ts'
import { parseIdMapping } from './parse-id-mapping.ts'
import { remappedSnapshot } from './remapped-snapshot.ts'
import { runtimeOf, withMappedOwner } from './runtime-options.ts'
import { withMountedRootfs, withRootfsAt } from './with-rootfs.ts'

/**
 * Makes a container, with a snapshot of its image under the same name. After an error nothing is left.
 *
 * @param checkpoint whose files the container gets
 * @throws `already_exists`; `not_found` for the image; as `containerSpec`
 */
export async function createContainer(
  session: Session,
  request: ContainerRequest,
  checkpoint?: UsedCheckpoint,
): Promise<Container> {
  const { client, signal } = session
  const { id, flags } = request
  return await createThere(client, {
    id,
    ...(await imageOptions(session, request)),
    runtime: runtimeOf(flags),
    labels: parseLabels(flags.label ?? [], { missing: 'true' }),
    sandbox: flags.sandbox,
    extensions: flags.cni ? networkExtension() : {},
    base: async (image, leased) => await baseOf(session, image, flags, leased.lease!),
    fill: async (image, mounts, leased) => {
      const on = { image, mounts, platform: flags.platform, signal }
      if (checkpoint) await applyCheckpoint(leased, checkpoint, on)
    },
    spec: async (image, mounts) => await specOf(session, request, { image, mounts }),
    adaptRuntime: withMappedOwner,
    onWarning: (warning) => complain(`ctr: ${warning}`),
  })
}

/** The spec that a container would be made with; nothing of it is left. */
export async function previewSpec(session: Session, request: ContainerRequest): Promise<Spec> {
  const { client, signal } = session
  await using lease = await client.createLease({ signal })
  await using undo = new AsyncDisposableStack()
  const image = await imageOf(lease.client, await imageOptions(session, request))
  let mounts: readonly Mount[] = []
  if (image) {
    const key = `${lease.id}-preview`
    mounts = await image.snapshotter.view(key, image.chainId, { signal })
    undo.defer(() => image.snapshotter.remove(key))
  }
  return await specOf(session, request, { image, mounts })
}

/** The image of a container, which must be there; it is unpacked if it is not. */
async function imageOptions(
  session: Session,
  { flags, from }: ContainerRequest,
): Promise<Parameters<typeof imageOf>[1]> {
  const { client, signal } = session
  if (from === undefined || !('image' in from)) return { signal }
  const { name: snapshotter } = await chosenSnapshotter(session)
  return {
    image: from.image,
    platform: flags.platform,
    snapshotter,
    pull: false,
    unpack: async (target, { lease, platform }) =>
      await unpackImage(client.withLease(lease), target, {
        snapshotterName: snapshotter,
        platform,
        signal,
      }),
    signal,
  }
}

async function specOf(
  { client, signal }: Session,
  request: ContainerRequest,
  { image, mounts }: { readonly image: ImageInUse | undefined; readonly mounts: readonly Mount[] },
): Promise<Spec> {
  const { from } = request
  const directory = from && 'directory' in from ? resolve(from.directory) : undefined
  return await containerSpec(request, {
    namespace: client.namespace,
    image: image?.config,
    directory,
    withRootfs: async (use) => {
      if (directory !== undefined) return await withRootfsAt(directory, use)
      if (image) return await withMountedRootfs(mounts, use, { signal })
      throw new NsboxError('invalid_argument', '--user needs an image or a root filesystem')
    },
    signal,
  })
}

/**
 * The parent of the container's snapshot. For a user namespace, the image's files are copied with changed owners, or,
 * where the flags ask for it and the snapshotter can map owners itself, labels say how.
 *
 * @param lease the container's own
 */
async function baseOf(
  { client, signal }: Session,
  { chainId, snapshotter, snapshotterName }: ImageInUse,
  { gidmap, remapLabels, snapshotterLabel = [], uidmap }: ContainerFlags,
  lease: string,
): Promise<SnapshotBase> {
  const labels = parseLabels(snapshotterLabel, { missing: 'true' })
  if (chainId === undefined || uidmap === undefined || gidmap === undefined)
    return { parent: chainId, labels }
  if (remapLabels) {
    const filter = `type==io.containerd.snapshotter.v1,id==${JSON.stringify(snapshotterName)}`
    const plugins = await client.introspection.plugins([filter], { signal })
    if (plugins.some(({ capabilities }) => capabilities.includes('remap-ids'))) {
      const mapping = {
        'containerd.io/snapshot/uidmapping': uidmap,
        'containerd.io/snapshot/gidmapping': gidmap,
      }
      return { parent: chainId, labels: { ...labels, ...mapping } }
    }
  }
  const mapping = { uid: parseIdMapping(uidmap), gid: parseIdMapping(gidmap) }
  const hold = (id: string) =>
    client.leases.addResource(lease, { type: `snapshots/${snapshotterName}`, id }, { signal })
  const options = { key: `${lease}-remapped`, hold, signal }
  return { parent: await remappedSnapshot(snapshotter, chainId, mapping, options), labels }
}
