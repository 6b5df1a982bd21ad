import { join } from 'node:path'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { programName, taskOptions } from '../options/task-options.ts'

/** Which runtime program a task has, and how it is used; part of the task's record. */
export interface RuntimeChoice {
  readonly binary: string
  /** Where the program keeps its state. */
  readonly root: string
  readonly systemdCgroup: boolean
  readonly noPivotRoot: boolean
  readonly noNewKeyring: boolean
  /** Owner of the container's ends of its input and output; undefined for this process' own user. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Where the helper process is to sit; undefined for where this process does. */
  readonly helperCgroup?: string | undefined
}

/** What holds where options say nothing. */
export interface RuntimeDefaults {
  readonly binary: string
  readonly root: string
}

/**
 * The runtime of a task.
 *
 * @param runtimePath the program, above all else
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
