import { type Bundle, refuseNewer, TaskUses } from '@nsbox/bundle'
import { readDump } from '../checkpoints/dump-record.ts'
import type { ContainerStatus } from '../runc/container-state.ts'
import { endProcess } from '../runc/end-process.ts'
import { runcOf } from './create-task.ts'
import { FirstProcess } from './first-process.ts'
import { type RestoreSource, storedSource } from './restore-source.ts'
import { RestoredStart } from './restored-start.ts'
import type { TaskState } from './state-error.ts'
import { Task } from './task.ts'
import { processKey, type TaskContext } from './task-context.ts'
import { readExec, readTask, type TaskRecord } from './task-record.ts'
import { CreatedStart } from './task-start.ts'
import { removeContainer, removeNewCgroup } from './undo-process.ts'

/**
 * Takes over the tasks of an earlier process. What that process had not completed is undone: no client was told of it.
 * A task that cannot be taken over does not prevent others.
 *
 * @param bundles all bundles
 * @param add takes each task
 */
export async function recoverTasks(
  bundles: readonly Bundle[],
  context: TaskContext,
  add: (task: Task) => void,
): Promise<void> {
  const statuses = new Statuses()
  await Promise.all(
    bundles.map(async (bundle) => {
      try {
        const record = readTask(bundle)
        // A task that cannot be taken over keeps the paths that it uses.
        const uses = TaskUses.resume(bundle.namespace, context.uses, record?.uses ?? [])
        if (record?.pid) add(await recover({ bundle, record, context, uses }, statuses))
        else if (record?.restore !== undefined)
          add(await recoverRestored({ bundle, record, context, uses }, record.restore))
        else await undo({ bundle, record, context, uses })
      } catch (error) {
        context.onWarning(`recovering task ${bundle.namespace}/${bundle.id}`, error)
      }
    }),
  )
}

/**
 * To be called before anything is changed.
 * @throws `failed_precondition` if a newer program has written a record of one of these tasks
 */
export function refuseNewerTasks(bundles: readonly Bundle[]): void {
  for (const bundle of bundles) {
    const execs = bundle.execIds().map((id) => () => readExec(bundle.execFiles(id)))
    refuseNewer([() => readTask(bundle), () => readDump(bundle), ...execs])
  }
}

/** A task of an earlier process. */
interface LeftTask {
  readonly bundle: Bundle
  readonly record: TaskRecord
  readonly context: TaskContext
  readonly uses: TaskUses
}

async function undo({
  bundle,
  record,
  context,
  uses,
}: Omit<LeftTask, 'record'> & { readonly record: TaskRecord | undefined }): Promise<void> {
  const { namespace, id } = bundle
  const process = context.supervisor.process(processKey(namespace, id))
  if (process !== undefined) await endProcess(process)
  if (record !== undefined) await removeContainer(runcOf(record.choice, bundle), id, context)
  await removeNewCgroup(record?.newCgroup, context)
  await bundle.remove()
  uses.release()
}

async function recover({ bundle, record, context, uses }: LeftTask, statuses: Statuses): Promise<Task> {
  const { namespace, id } = bundle
  const first = new FirstProcess(namespace, id, context)
  await first.find(record, context.supervisor.process(processKey(namespace, id)))
  const runc = runcOf(record.choice, bundle)
  // `follow` reports ends, so a task that has ended meanwhile has its former state until then.
  const before = record.started ? 'running' : 'created'
  const current = async () => {
    const paused = record.started ? context.shortcuts.isPaused(runc, first.cgroup) : undefined
    if (paused !== undefined) return paused ? 'paused' : 'running'
    return taskState(await statuses.of(record, id))
  }
  const state = (first.isAlive ? await current() : undefined) ?? before
  const start = new CreatedStart(context.shortcuts, runc, id, record.io)
  const task = new Task({ namespace, id, context, runc, bundle, record, first, uses, start })
  await task.recover(state)
  task.follow()
  return task
}

/** A restore under way, whose start was not reported: if it succeeded, the supervisor has the process. */
async function recoverRestored(
  { bundle, record, context, uses }: LeftTask,
  restore: RestoreSource,
): Promise<Task> {
  const { namespace, id } = bundle
  const process = context.supervisor.process(processKey(namespace, id))
  const runc = runcOf(record.choice, bundle)
  const first = new FirstProcess(namespace, id, context)
  const source = await storedSource(restore, bundle)
  const start = new RestoredStart({ context, runc, bundle, record }, source)
  await start.recover(first, process)
  const task = new Task({ namespace, id, context, runc, bundle, record, first, uses, start })
  await task.recover(first.isMade ? 'running' : 'created')
  task.follow()
  return task
}

function taskState(status: ContainerStatus | undefined): TaskState | undefined {
  return status === 'created' || status === 'running' || status === 'paused' ? status : undefined
}

/** The runtimes' states of their containers, read once for each state directory. */
class Statuses {
  readonly #asked = new Map<string, Promise<ReadonlyMap<string, ContainerStatus>>>()

  async of({ choice }: TaskRecord, id: string): Promise<ContainerStatus | undefined> {
    const place = JSON.stringify([choice.binary, choice.root])
    let asked = this.#asked.get(place)
    if (asked === undefined) {
      asked = runcOf(choice)
        .list()
        .then((containers) => new Map(containers.map((container) => [container.id, container.status])))
      this.#asked.set(place, asked)
    }
    return (await asked).get(id)
  }
}
