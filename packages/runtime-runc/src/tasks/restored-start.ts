import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Bundle } from '../bundle/bundle.ts'
import { criuFailure, withCriuFailure } from '../checkpoints/criu-log.ts'
import type { Runc } from '../runc/runc.ts'
import type { LaunchPaths } from '../supervisor/supervisor.ts'
import { setContainerHostname } from './container-hostname.ts'
import { launchProcess } from './launch-process.ts'
import type { RestoreSource } from './restore-source.ts'
import type { TaskContext } from './task-context.ts'
import type { TaskRecord } from './task-record.ts'
import type { TaskStart } from './task-start.ts'
import { end, removeContainer } from './undo-process.ts'

/** A task whose processes are to go on from images. */
export interface RestoredTask {
  readonly context: TaskContext
  readonly runc: Runc
  readonly bundle: Bundle
  readonly record: TaskRecord
}

/**
 * What has the processes of a task made anew from images, whereupon they run. Of a start that failed nothing is left but
 * the log of CRIU, whose end is in the error.
 */
export function startOfRestored(task: RestoredTask, source: RestoreSource): TaskStart {
  const { context, runc, bundle } = task
  return async (first, { signal }) => {
    await using undo = new AsyncDisposableStack()
    // CRIU that fails may have made a part of the container, whatever runc says.
    undo.defer(() => removeContainer(runc, bundle.id, context))
    const process = await launch(task, source, { signal })
    undo.defer(() => end(process))
    undo.defer(() => first.drop())
    await first.take(process)
    if (source.hostname !== undefined) setContainerHostname(process, source.hostname)
    undo.move()
  }
}

async function launch(
  { context, runc, bundle, record: { choice, io } }: RestoredTask,
  { images, workPath = bundle.criu }: RestoreSource,
  options: { readonly signal: AbortSignal | undefined },
) {
  const { namespace, id, path, log } = bundle
  const criuLog = join(workPath, 'restore.log')
  // What an earlier attempt had to say.
  for (const old of [log, criuLog]) rmSync(old, { force: true })
  const command = (paths: LaunchPaths) =>
    runc.restoreArguments(id, {
      log,
      bundle: path,
      imagePath: images,
      workPath,
      noPivotRoot: choice.noPivotRoot,
      ...whateverWasKept,
      ...paths,
    })
  try {
    return await launchProcess('restore', context, { namespace, id, io, choice, runc, log, command }, options)
  } catch (error) {
    throw withCriuFailure(error, await criuFailure(criuLog))
  }
}

/**
 * What CRIU refuses to restore unless it is told to, although the one who made the checkpoint had to ask for it then. It
 * means nothing for images without such resources. runc itself sees to it that networks are neither kept nor restored.
 */
const whateverWasKept = {
  tcpEstablished: true,
  externalUnixSockets: true,
  fileLocks: true,
} as const
