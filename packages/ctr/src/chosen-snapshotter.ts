import { defaultSnapshotter } from '@nsbox/client'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'
import type { Session } from './session.ts'

/**
 * The snapshotter that a command works with: the one that its options or the environment name, else that of the
 * namespace's label `containerd.io/defaults/snapshotter`, else `overlayfs`.
 */
export async function chosenSnapshotter({
  client,
  namedSnapshotter,
  signal,
}: Session): Promise<{ name: string; snapshotter: Snapshotter }> {
  const name = namedSnapshotter ?? (await namespaceDefault({ client, signal })) ?? defaultSnapshotter
  return { name, snapshotter: client.snapshotter(name) }
}

/**
 * The name of the snapshotter that a command works with, if the server does not have it; undefined otherwise. A name
 * from the options or the environment is not checked: with such a one the command fails by itself.
 */
export async function missingSnapshotter(session: Session): Promise<string | undefined> {
  if (session.namedSnapshotter !== undefined) return undefined
  const { name } = await chosenSnapshotter(session)
  const filter = `type==io.containerd.snapshotter.v1,id==${JSON.stringify(name)}`
  const plugins = await session.client.introspection.plugins([filter], session)
  return plugins.some(({ initError }) => initError === undefined) ? undefined : name
}

async function namespaceDefault({
  client,
  signal,
}: Pick<Session, 'client' | 'signal'>): Promise<string | undefined> {
  // A namespace does not exist until the first object is made in it.
  const namespace = await undefinedIf(isNotFound, client.namespaces.get(client.namespace, { signal }))
  return namespace?.labels[labelKeys.defaultSnapshotter] || undefined
}
