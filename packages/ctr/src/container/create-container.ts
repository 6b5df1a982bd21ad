import { resolve } from 'node:path'
import type { Container } from '@nsbox/core/containers'
import type { Mount } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import { encodeSpec, imageLabels, type Spec } from '@nsbox/oci/runtime-spec'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { networkExtension } from '../network/network-extension.ts'
import { parseLabels } from '../parse-labels.ts'
import { complain } from '../print.ts'
import type { Session } from '../session.ts'
import type { ContainerFlags } from './container-flags.ts'
import type { ContainerRequest } from './container-request.ts'
import { containerSpec } from './container-spec.ts'
import { applyCheckpoint, type UsedCheckpoint } from './from-checkpoint.ts'
import { parseIdMapping } from './parse-id-mapping.ts'
import { type ReadyImage, readyImage } from './ready-image.ts'
import { remappedSnapshot } from './remapped-snapshot.ts'
import { runtimeOf, withMappedOwner } from './runtime-options.ts'
import { withMountedRootfs, withRootfsAt } from './with-rootfs.ts'

/** Type of an OCI spec as JSON. */
const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'

/**
 * Makes a container, with a snapshot of its image under the same name. A lease holds what is made until the container
 * does. After an error nothing is left.
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
  const runtime = runtimeOf(flags)
  await using lease = await client.createLease({ signal })
  await using undo = new AsyncDisposableStack()
  const image = await imageOf(session, request, lease.client)
  let mounts: readonly Mount[] = []
  if (image) {
    const { parent, labels } = await baseOf(session, image, flags, `${lease.id}-remapped`)
    mounts = await image.snapshotter.prepare(id, parent, { labels, signal })
    undo.defer(() => image.snapshotter.remove(id))
    const on = { image, mounts, platform: flags.platform, signal }
    if (checkpoint) await applyCheckpoint(lease.client, checkpoint, on)
  }
  const spec = await specOf(session, request, { image, mounts })
  const container = await lease.client.containers.create(
    {
      id,
      image: image?.name,
      snapshotter: image?.snapshotterName,
      snapshotKey: image && id,
      runtime: withMappedOwner(runtime, spec),
      spec: { typeUrl: specType, value: encodeSpec(spec) },
      labels: { ...imageLabelsOf(image), ...parseLabels(flags.label ?? [], { missing: 'true' }) },
      sandbox: flags.sandbox,
      extensions: flags.cni ? networkExtension() : {},
    },
    { signal },
  )
  undo.move()
  return container
}

/** The spec that a container would be made with; nothing of it is left. */
export async function previewSpec(session: Session, request: ContainerRequest): Promise<Spec> {
  const { client, signal } = session
  await using lease = await client.createLease({ signal })
  await using undo = new AsyncDisposableStack()
  const image = await imageOf(session, request, lease.client)
  let mounts: readonly Mount[] = []
  if (image) {
    const key = `${lease.id}-preview`
    mounts = await image.snapshotter.view(key, image.chainId, { signal })
    undo.defer(() => image.snapshotter.remove(key))
  }
  return await specOf(session, request, { image, mounts })
}

async function imageOf(
  session: Session,
  { flags, from }: ContainerRequest,
  leased: Parameters<typeof readyImage>[1],
): Promise<ReadyImage | undefined> {
  if (from === undefined || !('image' in from)) return undefined
  return await readyImage(session, leased, { name: from.image, platform: flags.platform })
}

async function specOf(
  { client, signal }: Session,
  request: ContainerRequest,
  { image, mounts }: { readonly image: ReadyImage | undefined; readonly mounts: readonly Mount[] },
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
 * The labels of the image; those that an image must not set are left out, with a warning (docs/threat-model.md B09).
 */
function imageLabelsOf(image: ReadyImage | undefined): Readonly<Record<string, string>> {
  if (image === undefined) return {}
  const { labels, warnings } = imageLabels(image.config.config)
  for (const warning of warnings) complain(`ctr: ${warning}`)
  return labels
}

/**
 * The parent of the container's snapshot. For a user namespace, the image's files are copied with changed owners, or,
 * where the flags ask for it and the snapshotter can map owners itself, labels say how.
 *
 * @param key as `remappedSnapshot` has it
 */
async function baseOf(
  { client, signal }: Session,
  { chainId, snapshotter, snapshotterName }: ReadyImage,
  { gidmap, remapLabels, snapshotterLabel = [], uidmap }: ContainerFlags,
  key: string,
): Promise<{ readonly parent: string | undefined; readonly labels: Readonly<Record<string, string>> }> {
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
  return { parent: await remappedSnapshot(snapshotter, chainId, mapping, { key, signal }), labels }
}
