import type { Snapshotter } from '@nsbox/core/snapshots'
import { isAlreadyExists, NsboxError } from '@nsbox/errors'
import { snapshotExists } from '@nsbox/images'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { OwnerMapping } from './shift-owners.ts'

interface RemapOptions {
  readonly key: string
  readonly hold: (name: string) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * A committed snapshot with the files of another, owned by the users of a user namespace. It has the name that stock
 * clients give it. If it does not exist it is made, by a mount on this host, which must be the server's, as root.
 *
 * @param key to prepare it under, which nobody else has
 * @param hold keeps a snapshot from being collected, whether it exists or not
 * @returns its name
 * @throws `invalid_argument` for a mapping that does not begin with 0; as `shiftOwners`
 */
export async function remappedSnapshot(
  snapshotter: Snapshotter,
  parent: string,
  mapping: OwnerMapping,
  { key, hold, signal }: RemapOptions,
): Promise<string> {
  const { uid, gid } = mapping
  if (uid.containerID !== 0 || gid.containerID !== 0)
    throw new NsboxError('invalid_argument', 'the mapping of an image must begin with user and group 0')
  const name = `${parent}-${uid.hostID}-${gid.hostID}`
  // One that the last container has left may be collected at any time.
  await hold(name)
  if (await snapshotExists(snapshotter, name, { signal })) return name
  // Loaded only here, since it loads native code.
  const [{ withTempMount }, { shiftOwners }] = await Promise.all([
    import('@nsbox/mount'),
    import('./shift-owners.ts'),
  ])
  const mounts = await snapshotter.prepare(key, parent, { signal })
  await using undo = new AsyncDisposableStack()
  undo.defer(() => snapshotter.remove(key))
  await withTempMount(mounts, (directory) => shiftOwners(directory, mapping, { signal }), { signal })
  try {
    await snapshotter.commit(name, key, { signal })
  } catch (error) {
    if (isAlreadyExists(error)) return name
    throw error
  }
  undo.move()
  return name
}
