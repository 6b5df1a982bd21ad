import { join } from 'node:path'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { programName, taskOptions } from '../options/task-options.ts'

/** The runtime program of a task and its options; part of the task's record. */
export interface RuntimeChoice {
  readonly binary: string
  /** Directory of the program's state. */
  readonly root: string
  readonly systemdCgroup: boolean
  readonly noPivotRoot: boolean
  readonly noNewKeyring: boolean
  /** Owner of the container's ends of its input and output; undefined for this process's own user. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Cgroup of the helper process; undefined for that of this process. */
  readonly helperCgroup?: string | undefined
}

/** The values without options. */
export interface RuntimeDefaults {
  readonly binary: string
  readonly root: string
}

/**
 * The runtime of a task.
 *
 * @param runtimePath the program; takes precedence over the options
 * @throws `invalid_argument` for invalid options
 */
export function runtimeChoice(
  namespace: string,
  options: OpaqueValue | undefined,
  runtimePath: string | undefined,
  defaults: RuntimeDefaults,
): RuntimeChoice {
  const given = taskOptions(options)
  const { ioUid: uid, ioGid: gid } = given
  return {
    binary: programName(runtimePath ?? '') ?? given.binary ?? defaults.binary,
    root: join(given.root ?? defaults.root, namespace),
    systemdCgroup: given.systemdCgroup,
    noPivotRoot: given.noPivotRoot,
    noNewKeyring: given.noNewKeyring,
    ...(uid === 0 && gid === 0 ? {} : { owner: { uid, gid } }),
    ...(given.shimCgroup === undefined ? {} : { helperCgroup: given.shimCgroup }),
  }
}
