import { rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { AbortOptions, ProcessIo } from '@nsbox/core/tasks'
import type { LaunchPaths, SupervisedProcess, Supervisor } from '@nsbox/supervisor'
import type { Runc } from './runc.ts'

/** Milliseconds. */
const restoreTimeout = 600_000

/** The supervisor and its settings for launches. */
export interface Launcher {
  readonly supervisor: Supervisor
  readonly shortcuts: {
    /** Whether the program is to run from a sealed copy in memory. */
    fromMemory(runc: Runc): boolean
  }
}

/** A process of a container, to be made by the runtime's program. */
export interface RuncLaunch {
  readonly kind: 'create' | 'exec' | 'restore'
  /** The supervisor's key of the process. */
  readonly key: string
  readonly namespace: string
  /** The container's id. */
  readonly id: string
  readonly io: ProcessIo
  /** Owner of the container's ends of its input and output; undefined for this process's own user. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Cgroup for the supervisor; undefined for that of this process. */
  readonly helperCgroup?: string | undefined
  readonly runc: Runc
  /** Where the program writes its errors. */
  readonly log: string
  /** Where it writes the number of the process. */
  readonly pidFile: string
  readonly command: (paths: LaunchPaths) => readonly string[]
}

/**
 * Makes the supervisor run the runtime's program, which makes a process. A created process waits for a start; a
 * restored one may be large.
 *
 * @throws with the runtime's message
 */
export async function launchRunc(
  { supervisor, shortcuts }: Launcher,
  { kind, key, namespace, id, io, owner, helperCgroup, runc, log, pidFile, command }: RuncLaunch,
  options: AbortOptions,
): Promise<SupervisedProcess> {
  // runc first writes the pid to a file of this name, which must not exist; a runc that was killed may have left it.
  rmSync(join(dirname(pidFile), `.${basename(pidFile)}`), { force: true })
  try {
    return await supervisor.launch(
      {
        ...{ key, ...io, command, pidFile, owner },
        cwd: runc.options.bundle,
        fromMemory: shortcuts.fromMemory(runc),
        waits: kind === 'create',
        timeout: kind === 'restore' ? restoreTimeout : undefined,
        cgroup: helperCgroup,
        logEnv: { CONTAINER_ID: id, CONTAINER_NAMESPACE: namespace },
      },
      options,
    )
  } catch (error) {
    throw await runc.launchError(kind, log, error)
  }
}
