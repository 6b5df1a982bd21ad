import { join } from 'node:path'
import { isMessage } from '@bufbuild/protobuf'
import { unpackKnownAny } from '@nsbox/api'
import { type Options, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'

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
 * Reads options of a task: `containerd.runc.v1.Options` or none at all.
 *
 * @param runtimePath the program, above all else
 * @throws `invalid_argument` for options of another type, or malformed ones
 */
export function runtimeChoice(
  namespace: string,
  options: OpaqueValue | undefined,
  runtimePath: string | undefined,
  defaults: RuntimeDefaults,
): RuntimeChoice {
  const given = readOptions(options)
  const { ioUid: uid = 0, ioGid: gid = 0 } = given
  return {
    binary: runtimePath || given.binaryName || defaults.binary,
    root: join(given.root || defaults.root, namespace),
    systemdCgroup: given.systemdCgroup ?? false,
    noPivotRoot: given.noPivotRoot ?? false,
    noNewKeyring: given.noNewKeyring ?? false,
    ...(uid === 0 && gid === 0 ? {} : { owner: { uid, gid } }),
    ...(given.shimCgroup ? { helperCgroup: given.shimCgroup } : {}),
  }
}

function readOptions(options: OpaqueValue | undefined): Partial<Options> {
  // Clients send an empty Any where they have nothing to say.
  if (options === undefined || options.typeUrl === '') return {}
  const message = unpackKnownAny(options)
  if (isMessage(message, OptionsSchema)) return message
  throw new NsboxError(
    'invalid_argument',
    `runtime options of type ${JSON.stringify(options.typeUrl.slice(0, 256))}`,
  )
}
