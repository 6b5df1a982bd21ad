import { typeName, unpackAny } from '@nsbox/api'
import { type Options, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { OptionsSchema as AnyRuntimeOptionsSchema } from '@nsbox/api/gen/types/runtimeoptions/v1/api_pb'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { absolutePath, onlyKnownFields } from './option-value.ts'

/** How to run a container, of `containerd.runc.v1.Options`. */
export interface TaskOptions {
  /** Whether to change the root by moving a mount, for roots on a RAM disk. */
  readonly noPivotRoot: boolean
  /** Whether the container shares the server's session keyring. */
  readonly noNewKeyring: boolean
  /** The cgroup for helper processes. */
  readonly shimCgroup: string | undefined
  /** The owner of the container's ends of its input and output. */
  readonly ioUid: number
  readonly ioGid: number
  /** The program of the runtime, a path or a name. */
  readonly binary: string | undefined
  /** Directory of the runtime's state; the namespace is appended. */
  readonly root: string | undefined
  readonly systemdCgroup: boolean
  /** A directory with the images of a checkpoint to restore. */
  readonly criuImagePath: string | undefined
  /** Directory of CRIU's log and temporary files. */
  readonly criuWorkPath: string | undefined
}

/** The values without options. */
const defaults: TaskOptions = {
  noPivotRoot: false,
  noNewKeyring: false,
  shimCgroup: undefined,
  ioUid: 0,
  ioGid: 0,
  binary: undefined,
  root: undefined,
  systemdCgroup: false,
  criuImagePath: undefined,
  criuWorkPath: undefined,
}

/**
 * Reads options of the runtime: `containerd.runc.v1.Options`, also as the body of `runtimeoptions.v1.Options`. No
 * option is ignored.
 *
 * @param value options of the task, or else of its container
 * @throws invalid_argument for options of another type, unknown ones, and invalid values
 */
export function taskOptions(value: OpaqueValue | undefined): TaskOptions {
  if (value === undefined || (value.typeUrl === '' && value.value.length === 0)) return defaults
  const name = typeName(value)
  if (name === OptionsSchema.typeName) return fromMessage(unpackAny(OptionsSchema, value))
  if (name === AnyRuntimeOptionsSchema.typeName) return fromAnyRuntime(value)
  throw new NsboxError('invalid_argument', `options of the runtime of type ${JSON.stringify(value.typeUrl)}`)
}

/** Options that clients pass on without knowing them. */
function fromAnyRuntime(value: OpaqueValue): TaskOptions {
  const message = unpackAny(AnyRuntimeOptionsSchema, value)
  onlyKnownFields('options of the runtime', message)
  const { typeUrl, configPath, configBody } = message
  if (configPath !== '')
    throw new NsboxError(
      'invalid_argument',
      'options of the runtime: runc has no configuration file (config_path)',
    )
  if (typeUrl === '' && configBody.length === 0) return defaults
  if (typeName({ typeUrl }) !== OptionsSchema.typeName)
    throw new NsboxError('invalid_argument', `options of the runtime of type ${JSON.stringify(typeUrl)}`)
  return fromMessage(unpackAny(OptionsSchema, { typeUrl, value: configBody }))
}

function fromMessage(options: Options): TaskOptions {
  onlyKnownFields('options of the runtime', options)
  if (options.taskApiAddress !== '' || options.taskApiVersion !== 0)
    throw new NsboxError(
      'invalid_argument',
      'options of the runtime: tasks are not run by another server (task_api_address, task_api_version)',
    )
  return {
    noPivotRoot: options.noPivotRoot,
    noNewKeyring: options.noNewKeyring,
    shimCgroup: cgroupPath(options.shimCgroup),
    ioUid: options.ioUid,
    ioGid: options.ioGid,
    binary: programName(options.binaryName),
    root: absolutePath('root', options.root),
    systemdCgroup: options.systemdCgroup,
    criuImagePath: absolutePath('criu_image_path', options.criuImagePath),
    criuWorkPath: absolutePath('criu_work_path', options.criuWorkPath),
  }
}

/** The program of a runtime: an absolute path, or a name to look for; undefined for empty. @throws invalid_argument */
export function programName(text: string): string | undefined {
  if (text === '') return undefined
  if (!text.includes('\0') && (text.startsWith('/') || !text.includes('/'))) return text
  throw new NsboxError('invalid_argument', `program of the runtime ${JSON.stringify(text)}`)
}

function cgroupPath(text: string): string | undefined {
  if (text === '') return undefined
  const steps = text.split('/')
  if (!text.includes('\0') && !text.includes('\n') && !steps.includes('..')) return text
  throw new NsboxError('invalid_argument', `options of the runtime: shim_cgroup ${JSON.stringify(text)}`)
}
