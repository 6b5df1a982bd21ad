import { createReadStream } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import { imageChainId } from '@nsbox/images'
import { type Digest, defaultPlatform } from '@nsbox/oci'
import {
  buildSpec,
  defaultSpec,
  encodeSpec,
  type SpecOption,
  withEnv,
  withProcessArgs,
} from '@nsbox/oci/runtime-spec'
import { busyboxArchive, removeCgroup, scratchMount } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Server, ServerConfig } from '../server.ts'
import { startServer } from '../start.ts'
import { type PeerRelay, startPeerRelay } from './peer-relay.ts'

/** A party of a lab: a namespace, and its user. */
export interface Party {
  readonly namespace: string
  /** A socket whose clients are this party. */
  readonly address: string
  readonly client: Client
}

/** A server with two tenants, and with an operator who has a namespace as well. */
export interface TenantLab extends AsyncDisposable {
  readonly server: Server
  /** The socket for tenants. */
  readonly address: string
  /** A directory of the host, of which the server's data and state are in `root` and `state`. */
  readonly directory: string
  /** The file of the access list. */
  readonly accessList: string
  readonly archive: string
  readonly image: string
  readonly host: Party
  readonly a: Party
  readonly b: Party
  /** Connections as a user. */
  relay(user: Parameters<typeof startPeerRelay>[1]): Promise<PeerRelay>
}

export const tenantIds = { a: 65_101, b: 65_102 } as const

/** @param prefix of the names of namespaces, unique to this lab, since they name cgroups */
export async function openTenantLab(
  prefix: string,
  config: Pick<ServerConfig, 'restartInterval'> = {},
): Promise<TenantLab> {
  await using opening = new AsyncDisposableStack()
  const { path: directory } = opening.use(await scratchMount())
  // Others must not enter the directories in it, but need search permission for the socket.
  await chmod(directory, 0o755)
  const files = join(directory, 'files')
  await mkdir(files)
  const archive = await busyboxArchive(files)
  const names = { host: `${prefix}-host`, a: `${prefix}-a`, b: `${prefix}-b` }
  for (const name of Object.values(names)) opening.defer(() => removeCgroup(name))
  const accessList = join(directory, 'access.toml')
  await writeFile(accessList, [tenant('a', names.a), tenant('b', names.b)].join('\n'))
  const address = join(directory, 'tenants.sock')
  const server = opening.use(
    await startServer({
      root: join(directory, 'root'),
      state: join(directory, 'state'),
      durability: 'relaxed',
      accessList,
      tenantsAddress: address,
      ...config,
    }),
  )
  const relays = opening.use(new AsyncDisposableStack())
  const relay: TenantLab['relay'] = async (user) => relays.use(await startPeerRelay(address, user))
  const party = (namespace: string, to: string): Party => {
    return { namespace, address: to, client: opening.use(connect({ address: to, namespace })) }
  }
  const [toA, toB] = await Promise.all([tenantIds.a, tenantIds.b].map((id) => relay({ uid: id, gid: id })))
  const host = party(names.host, server.address)
  // Everything left in the lab is ended with it.
  opening.defer(async () => {
    for (const name of Object.values(names)) await removeTasks(host.client, name)
  })
  const parties = { host, a: party(names.a, toA!.address), b: party(names.b, toB!.address) }
  const owned = opening.move()
  return {
    ...{ server, address, directory, accessList, archive: archive.path, image: archive.name, relay },
    ...parties,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The lines of an access list that give a user all rights in a namespace. */
export function tenant(
  name: keyof typeof tenantIds,
  namespace: string,
  rights: readonly string[] = ['read', 'write', 'run'],
): string {
  return `[[peer]]
name = "tenant-${name}"
uid = ${tenantIds[name]}
namespaces.${namespace} = ${JSON.stringify(rights)}
`
}

/** Imports the lab's image as the party, and unpacks it. @returns the chain id */
export async function importImage(
  { archive, image }: Pick<TenantLab, 'archive' | 'image'>,
  { client }: Pick<Party, 'client'>,
): Promise<Digest> {
  const platform = defaultPlatform()
  await client.transfer.transfer(
    { kind: 'archive source', bytes: createReadStream(archive) },
    {
      ...{ kind: 'image', name: '', platforms: [platform], unpacks: [{ platform }] },
      references: [{ name: 'example.com', isPrefix: true, allowOverwrite: true }],
    },
  )
  const { target } = await client.images.get(image)
  const chainId = await imageChainId(client.content, target, { platform })
  if (chainId === undefined) throw new Error('an image without layers')
  return chainId
}

const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'

/** The spec of a container of a party that runs a program. */
export function specOf(namespace: string, id: string, args: readonly string[], ...more: SpecOption[]) {
  const wishes = [withProcessArgs(args), withEnv(['PATH=/bin']), ...more]
  return { typeUrl: specType, value: encodeSpec(buildSpec(defaultSpec({ id, namespace }), wishes)) }
}

/** Labels that keep an object from being collected. */
export const kept = { labels: { 'containerd.io/gc.root': 'kept' } } as const

/** Makes a container with a snapshot of its own on top of an image. */
export async function makeContainer(
  { client, namespace }: Pick<Party, 'client' | 'namespace'>,
  id: string,
  chainId: Digest,
  args: readonly string[],
  ...more: SpecOption[]
): Promise<void> {
  await client.snapshotter().prepare(id, chainId, kept)
  await client.containers.create({
    ...{ id, snapshotter: 'overlayfs', snapshotKey: id, labels: { of: namespace } },
    runtime: { name: 'io.containerd.runc.v2' },
    spec: specOf(namespace, id, args, ...more),
  })
}

async function removeTasks(client: Client, namespace: string): Promise<void> {
  const { tasks } = client.withNamespace(namespace)
  for (const { containerId, status } of await tasks.list()) {
    if (status === 'paused') await tasks.resume(containerId)
    await tasks.kill(containerId, 9, { all: true }).catch(() => undefined)
    await tasks.wait(containerId)
    await tasks.delete(containerId)
  }
}
