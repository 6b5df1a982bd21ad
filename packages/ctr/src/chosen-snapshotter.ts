import { defaultSnapshotter, type Plugin } from '@nsbox/client'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'
import type { Session } from './session.ts'

/**
 * The snapshotter that a command works with: the one that its options or the environment name, else that of the
 * namespace's label `containerd.io/defaults/snapshotter`, else `overlayfs`, or `native` where the server has only that.
 */
export async function chosenSnapshotter({
  client,
  namedSnapshotter,
  signal,
}: Session): Promise<{ name: string; snapshotter: Snapshotter }> {
  const name =
    namedSnapshotter ??
    (await namespaceDefault({ client, signal })) ??
    (await firstThatWorks({ client, signal }, [defaultSnapshotter, 'native'])) ??
    defaultSnapshotter
  return { name, snapshotter: client.snapshotter(name) }
}

/**
 * The snapshotter that a command works with, if the server does not have it, and why; undefined otherwise. A name from
 * the options or the environment is not checked: with such a one the command fails by itself.
 */
export async function missingSnapshotter(
  session: Session,
): Promise<{ readonly name: string; readonly reason: string | undefined } | undefined> {
  if (session.namedSnapshotter !== undefined) return undefined
  const { name } = await chosenSnapshotter(session)
  const found = (await snapshotters(session, [name]))[0]
  if (found !== undefined && found.initError === undefined) return undefined
  return { name, reason: found?.initError?.message.replace(/: skip plugin$/, '') }
}

const differ = 'io.containerd.differ.v1'

async function firstThatWorks(
  session: Pick<Session, 'client' | 'signal'>,
  names: readonly string[],
): Promise<string | undefined> {
  const found = await snapshotters(session, names, [`type==${differ}`])
  // Where no layer can be applied, none of them is of use.
  const unpacks = found.some(({ type, initError }) => type === differ && initError === undefined)
  if (!unpacks) return undefined
  return names.find((name) => found.some(({ id, initError }) => id === name && initError === undefined))
}

async function snapshotters(
  { client, signal }: Pick<Session, 'client' | 'signal'>,
  names: readonly string[],
  more: readonly string[] = [],
): Promise<readonly Plugin[]> {
  const filters = names.map((name) => `type==io.containerd.snapshotter.v1,id==${JSON.stringify(name)}`)
  return await client.introspection.plugins([...filters, ...more], { signal })
}

async function namespaceDefault({
  client,
  signal,
}: Pick<Session, 'client' | 'signal'>): Promise<string | undefined> {
  // A namespace does not exist until the first object is made in it.
  const namespace = await undefinedIf(isNotFound, client.namespaces.get(client.namespace, { signal }))
  return namespace?.labels[labelKeys.defaultSnapshotter] || undefined
}
