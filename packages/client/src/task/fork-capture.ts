import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import type { Comparer } from '@nsbox/core/diff'
import type { SnapshotInfo, Snapshotter } from '@nsbox/core/snapshots'
import type { Process, Tasks } from '@nsbox/core/tasks'
import {
  errorCode,
  fromSystemError,
  isErrno,
  isFailedPrecondition,
  isNotFound,
  isNsboxError,
  NsboxError,
} from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { atOnce } from './at-once.ts'
import { openConnections } from './fork-connections.ts'

/** A container as it was at one moment. */
export interface Capture extends AsyncDisposable {
  /** The directory with the images of its processes, which disposing of it removes. */
  readonly images: string
  /** What it has changed of its files; absent if it cannot change any. */
  readonly layer: Descriptor | undefined
}

/** What a capture is made with; what it stores is held by the lease of the comparer and the snapshotter. */
export interface CaptureParts extends AbortOptions {
  readonly tasks: Tasks
  readonly comparer: Comparer
  readonly snapshotter: Snapshotter
  /** The container's snapshot. */
  readonly snapshot: SnapshotInfo
  /** Its first process. */
  readonly process: Process
  /** Where the directory of images is made. */
  readonly directory?: string | undefined
}

/**
 * Captures the memory and the files of a running or paused container, frozen meanwhile; afterwards it is what it was,
 * whatever fails. After an error nothing is left.
 *
 * @throws `failed_precondition` naming its open TCP connections; as `Tasks.checkpoint` and `Comparer.compare`
 */
export async function captureContainer({ id }: Container, parts: CaptureParts): Promise<Capture> {
  const { tasks, process, snapshot, directory = tmpdir(), signal } = parts
  await using undo = new AsyncDisposableStack()
  const images = await imagesIn(directory)
  undo.defer(() => rm(images, { recursive: true }))
  await using frozen = new AsyncDisposableStack()
  if (process.status !== 'paused') {
    frozen.defer(() => resume(tasks, id))
    await tasks.pause(id, { signal })
  }
  const steps = [
    async (stop: AbortSignal) => {
      await dump(id, images, { ...parts, signal: stop })
      return undefined
    },
    (stop: AbortSignal) => compare(snapshot, { ...parts, signal: stop }),
  ]
  const [, layer] = await atOnce(steps, steps.length, (step, stop) => step(stop), signal)
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

async function resume(tasks: Tasks, id: string): Promise<void> {
  try {
    await tasks.resume(id)
  } catch (error) {
    // It has ended meanwhile.
    if (!isNotFound(error) && !isFailedPrecondition(error)) throw error
  }
}

async function dump(
  id: string,
  images: string,
  { tasks, process, signal }: Pick<CaptureParts, 'tasks' | 'process' | 'signal'>,
): Promise<void> {
  const options = packAny(CheckpointOptionsSchema, { imagePath: images, terminal: process.terminal })
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

/** A failure that says which connections stand in the way, since CRIU says so in a log at most, and without addresses. */
async function withObstacles(
  error: unknown,
  id: string,
  { tasks, signal }: Pick<CaptureParts, 'tasks' | 'signal'>,
): Promise<unknown> {
  // Nobody can tell more of what has ended.
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

async function compare(
  { name, kind, parent }: SnapshotInfo,
  { comparer, snapshotter, signal }: Pick<CaptureParts, 'comparer' | 'snapshotter' | 'signal'>,
): Promise<Descriptor | undefined> {
  if (kind === 'view') return undefined
  await using views = new AsyncDisposableStack()
  const lowerKey = `${name}-fork-parent-${process.hrtime.bigint()}`
  const lower = parent === undefined ? [] : await snapshotter.view(lowerKey, parent, { signal })
  if (parent !== undefined) views.defer(() => snapshotter.remove(lowerKey))
  const upper = await snapshotter.mounts(name, { signal })
  // It is applied at once on the same disk, so that compressing it would cost more than it saves.
  return await comparer.compare(lower, upper, { mediaType: 'application/vnd.oci.image.layer.v1.tar', signal })
}
