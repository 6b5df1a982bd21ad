import { rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { AbortOptions, ProcessIo } from '@nsbox/core/tasks'
import type { LaunchPaths, SupervisedProcess, Supervisor } from '@nsbox/supervisor'
import type { Runc } from './runc.ts'

/** Milliseconds. */
const restoreTimeout = 600_000

/** What launches, and how. */
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
  /** Names it for the supervisor. */
  readonly key: string
  readonly namespace: string
  /** The container's. */
  readonly id: string
  readonly io: ProcessIo
  /** Who owns its ends of its input and output; undefined for this process's own user. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Where the supervisor is to sit; undefined for where this process does. */
  readonly helperCgroup?: string | undefined
  readonly runc: Runc
  /** Where the program writes its errors. */
  readonly log: string
  /** Where it writes the number of the process. */
  readonly pidFile: string
  readonly command: (paths: LaunchPaths) => readonly string[]
}

/**
 * Has the supervisor run the runtime's program, which makes a process. One that is created waits for a start, and one
 * that is restored may be large.
 *
 * @throws with the runtime's own words
 */
export async function launchRunc(
  { supervisor, shortcuts }: Launcher,
  { kind, key, namespace, id, io, owner, helperCgroup, runc, log, pidFile, command }: RuncLaunch,
  options: AbortOptions,
): Promise<SupervisedProcess> {
  // runc writes the number to a file of this name first, which must not exist; one that was killed may have left it.
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
