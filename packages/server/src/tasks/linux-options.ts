import { packAny, typeName, unpackAny } from '@nsbox/api'
import {
  CreateOptionsSchema,
  CheckpointOptionsSchema as LinuxCheckpointOptionsSchema,
  RuncOptionsSchema,
} from '@nsbox/api/gen/types/linux/runc_pb'
import {
  CheckpointOptionsSchema,
  type Options,
  OptionsSchema,
} from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'

type Fields = Partial<Omit<Options, '$typeName' | '$unknown'>>

/**
 * The options of a task of runc: its own, else its container's. Those of `io.containerd.runtime.v1.linux` come in two
 * parts, the program with the container and all else with the task, and are put together as
 * `containerd.runc.v1.Options` (docs/behaviour.md §7).
 *
 * @throws `invalid_argument` for an option that runc does not have
 */
export function optionsOfTask(
  own: OpaqueValue | undefined,
  ofContainer: OpaqueValue | undefined,
): OpaqueValue | undefined {
  const task = own && createFields(own)
  const container = ofContainer && containerFields(ofContainer)
  if (own !== undefined && task === undefined) return own
  if (task === undefined && container === undefined) return ofContainer
  if (container === undefined && isOptions(ofContainer))
    return packAny(OptionsSchema, { ...unpackAny(OptionsSchema, ofContainer), ...task })
  return packAny(OptionsSchema, { ...container, ...task })
}

/** The options of a checkpoint by runc, of whichever of its types. @throws `invalid_argument` */
export function optionsOfCheckpoint(options: OpaqueValue | undefined): OpaqueValue | undefined {
  if (options === undefined || typeName(options) !== LinuxCheckpointOptionsSchema.typeName) return options
  const { $typeName: _, $unknown, ...fields } = unpackAny(LinuxCheckpointOptionsSchema, options)
  refuseSet(LinuxCheckpointOptionsSchema.typeName, { later: $unknown !== undefined })
  return packAny(CheckpointOptionsSchema, fields)
}

function containerFields(options: OpaqueValue): Fields | undefined {
  if (typeName(options) !== RuncOptionsSchema.typeName) return undefined
  const message = unpackAny(RuncOptionsSchema, options)
  const { runtime: binaryName, runtimeRoot: root, systemdCgroup, criuPath, $unknown } = message
  refuseSet(RuncOptionsSchema.typeName, { criu_path: criuPath !== '', later: $unknown !== undefined })
  return { binaryName, root, systemdCgroup }
}

function createFields(options: OpaqueValue): Fields | undefined {
  if (typeName(options) !== CreateOptionsSchema.typeName) return undefined
  const { $typeName: _, $unknown, ...message } = unpackAny(CreateOptionsSchema, options)
  const { openTcp, externalUnixSockets, terminal, fileLocks, emptyNamespaces, cgroupsMode, ...fields } =
    message
  refuseSet(CreateOptionsSchema.typeName, {
    open_tcp: openTcp,
    external_unix_sockets: externalUnixSockets,
    terminal,
    file_locks: fileLocks,
    empty_namespaces: emptyNamespaces.length > 0,
    cgroups_mode: cgroupsMode !== '',
    later: $unknown !== undefined,
  })
  return fields
}

/** Nothing that is set is ignored. */
function refuseSet(type: string, fields: Readonly<Record<string, boolean>>): void {
  const [field] = Object.entries(fields).find(([, isSet]) => isSet) ?? []
  if (field === undefined) return
  const what = field === 'later' ? 'a field that is not known' : field
  throw new NsboxError('invalid_argument', `options ${type}: ${what} is not supported`)
}

function isOptions(options: OpaqueValue | undefined): options is OpaqueValue {
  return options !== undefined && typeName(options) === OptionsSchema.typeName
}
