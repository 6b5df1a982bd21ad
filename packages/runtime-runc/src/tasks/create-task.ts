import type { AbortOptions, ProcessIo, RuntimeTaskOptions } from '@nsbox/core/tasks'
import { isFailedPrecondition, isNotFound, NsboxError } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Bundle } from '../bundle/bundle.ts'
import { parseBundleSpec } from '../bundle/bundle-spec.ts'
import type { Bundles } from '../bundle/bundles.ts'
import type { ContainerCgroup } from '../cgroups/container-cgroup.ts'
import { Runc } from '../runc/runc.ts'
import type { LaunchPaths, SupervisedProcess } from '../supervisor/supervisor.ts'
import { launchProcess } from './launch-process.ts'
import { processIo } from './process-io.ts'
import type { RuntimeChoice } from './runtime-choice.ts'
import { Task } from './task.ts'
import type { TaskContext } from './task-context.ts'
import { type TaskRecord, writeTask } from './task-record.ts'

/** What a new task is made of. */
export interface NewTask {
  readonly namespace: string
  readonly id: string
  readonly context: TaskContext
  readonly bundles: Bundles
  readonly choice: RuntimeChoice
  readonly options: RuntimeTaskOptions
}

/** Makes a task, and tells of it. After an error nothing is left of what had been done until then. */
export async function createTask(wanted: NewTask): Promise<Task> {
  const { namespace, id, context, bundles, choice, options } = wanted
  const { spec, rootfs, signal } = options
  if (options.restore !== undefined) {
    throw new NsboxError('unimplemented', 'tasks that go on from a checkpoint')
  }
  const io = processIo(options)
  const runc = runcOf(choice)
  await using undo = new AsyncDisposableStack()
  const bundle = await bundles.create(namespace, id, { spec, rootfs, signal })
  undo.defer(() => bundle.remove())
  const sharesPids = !parseBundleSpec(spec).ownPidNamespace
  const record: TaskRecord = { format: 1, choice, sharesPids, io, pid: 0, started: false }
  // From here on, one that finds the bundle knows what there is to undo.
  writeTask(bundle, record)
  const process = await launch({ ...wanted, bundle, io, runc }, options, undo)
  const cgroup = await cgroupOf(context, process.pid)
  signal?.throwIfAborted()
  const task = new Task({
    namespace,
    id,
    context,
    runc,
    bundle,
    record: { ...record, pid: process.pid, ...(cgroup && { cgroups: [...cgroup.cgroups] }) },
    process,
    cgroup,
  })
  await task.watch()
  undo.use(task)
  task.created(rootfs)
  undo.move()
  return task
}

interface Launch extends NewTask {
  readonly bundle: Bundle
  readonly io: ProcessIo
  readonly runc: Runc
}

async function launch(
  { namespace, id, context, choice, bundle, io, runc }: Launch,
  options: AbortOptions,
  undo: AsyncDisposableStack,
): Promise<SupervisedProcess> {
  const { noPivotRoot, noNewKeyring } = choice
  const { path, log } = bundle
  // A program that fails may have made a part of the container, whatever it says.
  undo.defer(() => removeContainer(runc, id, context))
  const command = (paths: LaunchPaths) =>
    runc.createArguments(id, { log, bundle: path, ...paths, noPivotRoot, noNewKeyring })
  const process = await launchProcess(context, { namespace, id, io, choice, runc, log, command }, options)
  undo.defer(() => end(process))
  return process
}

/** Undefined if it has ended already, or has no cgroup of its own. */
async function cgroupOf({ cgroups }: TaskContext, pid: number): Promise<ContainerCgroup | undefined> {
  try {
    return await cgroups.of(pid)
  } catch (error) {
    if (isNotFound(error) || isFailedPrecondition(error)) return undefined
    throw error
  }
}

/** Kills a process that was made in vain, and forgets it. */
export async function end(process: SupervisedProcess): Promise<void> {
  try {
    process.signal(9)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  await process.exit
  await process.release()
}

/** Removes what the runtime knows of a container that was made in part or in vain; none is fine as well. */
export async function removeContainer(runc: Runc, id: string, { onWarning }: TaskContext): Promise<void> {
  try {
    await runc.delete(id, { force: true })
  } catch (error) {
    // What made it necessary stays the error that the caller sees.
    if (!isNotFound(error)) onWarning(`removing what is left of container ${id}`, error)
  }
}

/** The program of a task. */
export function runcOf({ binary, root, systemdCgroup }: RuntimeChoice): Runc {
  return new Runc({ binary, root, systemdCgroup })
}
