import { typeName, unpackAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import type { CheckpointOptions } from '../runc/checkpoint.ts'
import type { CgroupsMode } from '../runc/launch-arguments.ts'
import { absolutePath, onlyKnownFields } from './option-value.ts'

/** How to make a checkpoint, of `containerd.runc.v1.CheckpointOptions`. */
export interface CheckpointRequest extends Omit<CheckpointOptions, 'imagePath' | 'parentPath' | 'preDump'> {
  /** A directory for the images, in place of the content store. */
  readonly imagePath: string | undefined
}

const modes: readonly string[] = ['soft', 'full', 'strict', 'ignore'] satisfies CgroupsMode[]

/**
 * Reads options of a checkpoint. No option is ignored.
 * @throws invalid_argument for options of another type, unknown ones, and invalid values
 */
export function checkpointRequest(value: OpaqueValue | undefined): CheckpointRequest {
  const empty = value === undefined || (value.typeUrl === '' && value.value.length === 0)
  if (!empty && typeName(value) !== CheckpointOptionsSchema.typeName)
    throw new NsboxError(
      'invalid_argument',
      `options of a checkpoint of type ${JSON.stringify(value.typeUrl)}`,
    )
  const options = unpackAny(
    CheckpointOptionsSchema,
    empty ? { typeUrl: CheckpointOptionsSchema.typeName, value: new Uint8Array() } : value,
  )
  onlyKnownFields('options of a checkpoint', options)
  return {
    imagePath: absolutePath('image_path', options.imagePath),
    workPath: absolutePath('work_path', options.workPath),
    leaveRunning: !options.exit,
    tcpEstablished: options.openTcp,
    externalUnixSockets: options.externalUnixSockets,
    shellJob: options.terminal,
    fileLocks: options.fileLocks,
    emptyNamespaces: options.emptyNamespaces.map(namespaceKind),
    cgroupsMode: cgroupsMode(options.cgroupsMode),
  }
}

function namespaceKind(text: string): string {
  if (/^[a-z]+$/.test(text)) return text
  throw new NsboxError('invalid_argument', `options of a checkpoint: namespace ${JSON.stringify(text)}`)
}

function cgroupsMode(text: string): CgroupsMode | undefined {
  if (text === '') return undefined
  if (modes.includes(text)) return text as CgroupsMode
  throw new NsboxError('invalid_argument', `options of a checkpoint: cgroups_mode ${JSON.stringify(text)}`)
}
