import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mapConcurrently } from '@nsbox/concurrency'
import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { SnapshotInfo } from '@nsbox/core/snapshots'
import type { Tasks } from '@nsbox/core/tasks'
import { errorCode, fromSystemError, isErrno, isNsboxError, NsboxError } from '@nsbox/errors'
import { type Descriptor, mediaTypes } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { CheckpointStores } from '../checkpoint/checkpoint-stores.ts'
import { rwLayer } from '../checkpoint/rw-layer.ts'
import { whilePaused } from '../checkpoint/while-paused.ts'
import { checkpointOptions } from '../task/checkpoint-options.ts'
import { openConnections } from './fork-connections.ts'

/** A container as it was at one moment. */
export interface Capture extends AsyncDisposable {
  /** The directory with the images of its processes, which disposing of it removes. */
  readonly images: string
  /** What it has changed of its files; absent if it cannot change any. */
  readonly layer: Descriptor | undefined
}

/** What a capture is made with. */
interface CaptureParts extends AbortOptions {
  readonly tasks: Tasks
  /** Under a lease, which holds what they store. */
  readonly stores: Pick<CheckpointStores, 'comparer' | 'snapshotter'>
  /** The container's snapshot. */
  readonly snapshot: SnapshotInfo
  /** Where the directory of images is made. */
  readonly directory?: string | undefined
}

/**
 * Captures the memory and the files of a running or paused container, frozen meanwhile; afterwards, and after a
 * failure, it runs or is paused as before. After an error nothing is left.
 *
 * @throws `failed_precondition` naming its open TCP connections; as `Tasks.checkpoint` and `Comparer.compare`
 */
export async function captureContainer(container: Container, parts: CaptureParts): Promise<Capture> {
  const { tasks, stores, snapshot, directory = tmpdir(), signal } = parts
  const { id } = container
  await using undo = new AsyncDisposableStack()
  const images = await imagesIn(directory)
  undo.defer(() => rm(images, { recursive: true }))
  // It is applied at once on the same disk: compressing it would cost more than it saves.
  const mediaType = mediaTypes.ociLayer
  const steps = [
    (stop: AbortSignal) => dump(id, images, { tasks, signal: stop }),
    async (stop: AbortSignal) =>
      snapshot.kind === 'view' ? undefined : await rwLayer(stores, container, { mediaType, signal: stop }),
  ]
  const both = () => mapConcurrently(steps, (step, stop) => step(stop), { signal })
  const [, layer] = await whilePaused(tasks, id, both, { signal })
  const owned = undo.move()
  return { images, layer, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function imagesIn(directory: string): Promise<string> {
  try {
    return await mkdtemp(join(directory, 'nsbox-fork-'))
  } catch (error) {
    throw fromSystemError(error, `directory for images ${directory}`)
  }
}

async function dump(
  id: string,
  images: string,
  { tasks, signal }: Pick<CaptureParts, 'tasks' | 'signal'>,
): Promise<undefined> {
  const options = checkpointOptions({ imagePath: images })
  try {
    await tasks.checkpoint(id, { options, signal })
  } catch (error) {
    throw signal?.aborted ? error : await withObstacles(error, id, { tasks, signal })
  }
  try {
    await access(join(images, 'inventory.img'))
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cause
    throw new NsboxError(
      'failed_precondition',
      `the server has written no images to ${images}: it must see the directories that its client sees`,
      { cause },
    )
  }
}

/** A failure that names the connections in the way: CRIU writes that to a log at most, and without addresses. */
async function withObstacles(
  error: unknown,
  id: string,
  { tasks, signal }: Pick<CaptureParts, 'tasks' | 'signal'>,
): Promise<unknown> {
  // Nothing more is known of an ended process.
  const members = await tasks.pids(id, { signal }).catch(() => [])
  const connections = await openConnections(members.map(({ pid }) => pid))
  if (connections.length === 0) return error
  const named = connections.slice(0, 10).join(', ')
  const more = connections.length > 10 ? ` and ${connections.length - 10} more` : ''
  const words = isNsboxError(error) ? error.context : String((error as Error).message ?? error)
  const code = errorCode(error) === 'unknown' ? 'failed_precondition' : errorCode(error)
  return new NsboxError(code, `open TCP connections cannot be copied: ${named}${more}: ${words}`, {
    cause: error,
  })
}
