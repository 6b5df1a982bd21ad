import { containers, isNotFound, snapshots, tasks, within } from '../connection/calls.ts'
import { postAction } from '../connection/post-action.ts'
import type { ListedContainer } from './load-containers.ts'

/** A container by its namespace and id. */
type Named = Pick<ListedContainer, 'namespace' | 'id'>

const signals = { SIGKILL: 9, SIGTERM: 15 } as const

/** Signals the first process of a task; `SIGKILL` all of them. */
export async function kill({ namespace, id }: Named, signal: keyof typeof signals): Promise<void> {
  const all = signal === 'SIGKILL'
  await tasks.kill({ containerId: id, signal: signals[signal], all }, within(namespace))
}

export async function pause({ namespace, id }: Named): Promise<void> {
  await tasks.pause({ containerId: id }, within(namespace))
}

export async function resume({ namespace, id }: Named): Promise<void> {
  await tasks.resume({ containerId: id }, within(namespace))
}

/**
 * Starts the task of a container: one that has been created, or a new one in the place of one that has stopped. The
 * output of a new one is ignored, and its input empty, as there is nobody who would take and give them.
 */
export async function start(container: ListedContainer): Promise<void> {
  const { namespace, id, state } = container
  const options = within(namespace)
  if (state === 'stopped') await tasks.delete({ containerId: id }, options)
  if (state !== 'created') {
    const { snapshotter, snapshotKey } = container
    const { mounts: rootfs } =
      snapshotKey === '' ? { mounts: [] } : await snapshots.mounts({ snapshotter, key: snapshotKey }, options)
    await tasks.create({ containerId: id, rootfs, terminal: false }, options)
  }
  try {
    await tasks.start({ containerId: id }, options)
  } catch (error) {
    // What could not be started would be in the way of the next try.
    if (state !== 'created') await tasks.delete({ containerId: id }, options).catch(unlessNotFound)
    throw error
  }
}

/** Removes a container that does not run, with its snapshot and its ended task. */
export async function remove({
  namespace,
  id,
  state,
  snapshotter,
  snapshotKey,
}: ListedContainer): Promise<void> {
  const options = within(namespace)
  if (state !== 'none') await tasks.delete({ containerId: id }, options).catch(unlessNotFound)
  await containers.delete({ id }, options)
  if (snapshotKey !== '')
    await snapshots.remove({ snapshotter, key: snapshotKey }, options).catch(unlessNotFound)
}

/** Makes an image of a container with its memory. */
export async function checkpoint({ namespace, id }: Named, name: string): Promise<void> {
  await postAction('checkpoint', { namespace, container: id, name })
}

/** Makes a container that goes on from where another one is; its id is the prefix and 1. */
export async function fork({ namespace, id }: Named, prefix: string): Promise<void> {
  await postAction('fork', { namespace, container: id, prefix })
}

/** A prefix for the id of a fork that is not taken yet. */
export function freePrefix(id: string, isTaken: (id: string) => boolean): string {
  for (let number = 1; ; number++) {
    const prefix = number === 1 ? `${id}-` : `${id}-${number}-`
    if (!isTaken(`${prefix}1`)) return prefix
  }
}

function unlessNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error
}
