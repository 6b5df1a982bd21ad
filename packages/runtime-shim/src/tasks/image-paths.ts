import { typeName, unpackAny } from '@nsbox/api'
import { CheckpointOptionsSchema, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { OpaqueValue } from '@nsbox/core/tasks'

/** The directory that options of runc name for the images of a checkpoint; empty for none, or other options. */
export function imagePathOfCheckpoint(options: OpaqueValue | undefined): string {
  if (options === undefined || typeName(options) !== CheckpointOptionsSchema.typeName) return ''
  return unpackAny(CheckpointOptionsSchema, options).imagePath
}

/** The directory of images that options of runc name to restore a task from; empty for none, or other options. */
export function imagePathOfRestore(options: OpaqueValue | undefined): string {
  if (options === undefined || typeName(options) !== OptionsSchema.typeName) return ''
  return unpackAny(OptionsSchema, options).criuImagePath
}
