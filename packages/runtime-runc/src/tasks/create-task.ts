import { type Bundle, type Bundles, pathsOfSpec, processIo, readBundleSpec, TaskUses } from '@nsbox/bundle'
import type { AbortOptions, RuntimeTaskOptions } from '@nsbox/core/tasks'
import type { LaunchPaths, SupervisedProcess } from '@nsbox/supervisor'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { limitedSpec } from '../rootless/host-limits.ts'
import { endProcess } from '../runc/end-process.ts'
import { launchRunc } from '../runc/launch-runc.ts'
import { Runc } from '../runc/runc.ts'
import { FirstProcess } from './first-process.ts'
import { pathsBeforeBundle } from './given-paths.ts'
import { discardImages, type RestoreSource, restoreSource } from './restore-source.ts'
import { RestoredStart } from './restored-start.ts'
import type { RuntimeChoice } from './runtime-choice.ts'
import { Task, type TaskParts } from './task.ts'
import { processKey, type TaskContext } from './task-context.ts'
import { type TaskRecord, writeTask } from './task-record.ts'
import { CreatedStart } from './task-start.ts'
import { removeContainer, removeNewCgroup } from './undo-process.ts'

/** The parts of a new task. */
export interface NewTask {
  readonly namespace: string
  readonly id: string
  readonly context: TaskContext
  readonly bundles: Bundles
  readonly choice: RuntimeChoice
  readonly options: RuntimeTaskOptions
}

/**
 * Makes a task and emits its event. A task that is restored from a checkpoint has no process before its start. After an
 * error nothing is left.
 */
export async function createTask(wanted: NewTask): Promise<Task> {
  const { namespace, id, context, bundles, choice } = wanted
  const { limits } = context
  const options =
    limits === undefined
      ? wanted.options
      : { ...wanted.options, spec: limitedSpec(wanted.options.spec, limits) }
  const { spec, rootfs, signal } = options
  const { ownNamespaces, paths, cgroup } = await readBundleSpec(spec)
  const sharesPids = !ownNamespaces.includes('pid')
  const io = processIo(options)
  await using undo = new AsyncDisposableStack()
  const restore = await restoreSource(context.images, options)
  undo.defer(() => discardImages(restore))
  const uses = new TaskUses(namespace, context.uses)
  let made: Bundle | undefined
  undo.defer(async () => {
    await made?.remove()
    // Mounts that cannot be removed stay.
    uses.release()
  })
  const given = { rootfs, io, options: options.options, changesMounts: paths.changesMounts }
  await uses.add(pathsBeforeBundle(given), { signal })
  const bundle = await bundles.create(namespace, id, { spec, rootfs, signal })
  made = bundle
  for (const file of context.shared) bundle.share(file)
  const runc = runcOf(choice, bundle)
  const more = pathsOfSpec(paths, bundle)
  if (more !== undefined) await uses.add(more, { signal })
  const isNew = cgroup !== undefined && context.cgroups.named(cgroup)?.exists === false
  const newCgroup = isNew ? cgroup : undefined
  const state = { pid: 0, started: false, uses: uses.records }
  const record: TaskRecord = { choice, sharesPids, io, newCgroup, ...state }
  // From here on, a later process that finds the bundle knows what to undo.
  writeTask(bundle, record)
  const first = undo.use(new FirstProcess(namespace, id, context))
  const parts = { namespace, id, context, runc, bundle, record, first, uses }
  const task = restore === undefined ? await begin(parts, options, undo) : goOn(parts, restore)
  signal?.throwIfAborted()
  task.created(rootfs)
  context.versions?.used(runc)
  undo.move()
  return task
}

type Parts = Omit<TaskParts, 'start'>

/** Makes the first process, which waits for the start. */
async function begin(parts: Parts, options: AbortOptions, undo: AsyncDisposableStack): Promise<Task> {
  const { id, context, runc, first } = parts
  await first.take(await launch(parts, options, undo))
  const record = { ...parts.record, ...first.recorded }
  return new Task({ ...parts, record, start: new CreatedStart(context.shortcuts, runc, id, record.io) })
}

function goOn(parts: Parts, restore: RestoreSource): Task {
  const record = { ...parts.record, restore }
  return new Task({ ...parts, record, start: new RestoredStart(parts, restore) })
}

async function launch(
  { namespace, id, context, runc, bundle, record }: Parts,
  options: AbortOptions,
  undo: AsyncDisposableStack,
): Promise<SupervisedProcess> {
  const { choice, io } = record
  const { noPivotRoot, noNewKeyring } = choice
  const { path, log, pidFile } = bundle
  undo.defer(() => removeNewCgroup(record.newCgroup, context))
  // A program that fails may have made a part of the container.
  undo.defer(() => removeContainer(runc, id, context))
  const command = (paths: LaunchPaths) =>
    runc.createArguments(id, { log, bundle: path, ...paths, noPivotRoot, noNewKeyring })
  const process = await launchRunc(
    context,
    {
      ...{ kind: 'create', key: processKey(namespace, id), namespace, id, io },
      ...{ ...choice, runc, log, pidFile, command },
    },
    options,
  )
  undo.defer(() => endProcess(process))
  return process
}

/** The program of a task. @param bundle undefined for commands without a container */
export function runcOf({ binary, root, systemdCgroup }: RuntimeChoice, bundle?: Bundle): Runc {
  return new Runc({ binary, root, systemdCgroup, bundle: bundle?.path })
}
