import { typeName, unpackAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { OpaqueValue } from '@nsbox/core/tasks'

/** The directory that the options of a checkpoint name for its images; empty if they name none. */
export function imageDirectory(options: OpaqueValue | undefined): string {
  if (options === undefined || typeName(options) !== CheckpointOptionsSchema.typeName) return ''
  return unpackAny(CheckpointOptionsSchema, options).imagePath
}
