import type { AbortOptions, ProcessIo } from '@nsbox/core/tasks'
import type { Runc } from '../runc/runc.ts'
import type { LaunchPaths, SupervisedProcess } from '../supervisor/supervisor.ts'
import type { RuntimeChoice } from './runtime-choice.ts'
import { processKey, type TaskContext } from './task-context.ts'

/** Milliseconds. */
const restoreTimeout = 600_000

/** A process of a container, to be made by the runtime's program. */
export interface ProcessLaunch {
  readonly namespace: string
  readonly id: string
  /** Absent for the first process. */
  readonly execId?: string | undefined
  readonly io: ProcessIo
  readonly choice: RuntimeChoice
  readonly runc: Runc
  /** Where the program writes its errors. */
  readonly log: string
  readonly command: (paths: LaunchPaths) => readonly string[]
}

/**
 * Has the supervisor make a process. One that is created waits for a start, and one that is restored may be large.
 * @throws with the runtime's own words
 */
export async function launchProcess(
  kind: 'create' | 'exec' | 'restore',
  { supervisor, shortcuts }: TaskContext,
  { namespace, id, execId, io, choice, runc, log, command }: ProcessLaunch,
  options: AbortOptions,
): Promise<SupervisedProcess> {
  try {
    return await supervisor.launch(
      {
        key: processKey(namespace, id, execId),
        ...io,
        command,
        fromMemory: shortcuts.fromMemory(runc),
        owner: choice.owner,
        waits: kind === 'create',
        timeout: kind === 'restore' ? restoreTimeout : undefined,
        cgroup: choice.helperCgroup,
        container: { id, namespace },
      },
      options,
    )
  } catch (error) {
    throw await runc.launchError(kind, log, error)
  }
}
