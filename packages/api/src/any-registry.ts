import { createRegistry, type Message, type Registry } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import { type AnyLike, typeName, unpackAny } from './any.ts'
import { file_cgroups_v1_metrics } from './gen/cgroups/v1/metrics_pb.ts'
import { file_cgroups_v2_metrics } from './gen/cgroups/v2/metrics_pb.ts'
import { file_events_container } from './gen/events/container_pb.ts'
import { file_events_content } from './gen/events/content_pb.ts'
import { file_events_image } from './gen/events/image_pb.ts'
import { file_events_namespace } from './gen/events/namespace_pb.ts'
import { file_events_sandbox } from './gen/events/sandbox_pb.ts'
import { file_events_snapshot } from './gen/events/snapshot_pb.ts'
import { file_events_task } from './gen/events/task_pb.ts'
import { StreamInitSchema } from './gen/services/streaming/v1/streaming_pb.ts'
import { file_types_introspection } from './gen/types/introspection_pb.ts'
import { file_types_linux_runc } from './gen/types/linux/runc_pb.ts'
import { file_types_runc_options_oci } from './gen/types/runc/options/oci_pb.ts'
import { file_types_runtimeoptions_v1_api } from './gen/types/runtimeoptions/v1/api_pb.ts'
import { file_types_transfer_container } from './gen/types/transfer/container_pb.ts'
import { file_types_transfer_imagestore } from './gen/types/transfer/imagestore_pb.ts'
import { file_types_transfer_importexport } from './gen/types/transfer/importexport_pb.ts'
import { file_types_transfer_progress } from './gen/types/transfer/progress_pb.ts'
import { file_types_transfer_registry } from './gen/types/transfer/registry_pb.ts'
import { file_types_transfer_streaming } from './gen/types/transfer/streaming_pb.ts'

/**
 * The messages that travel in Any fields: events, sources and destinations of transfers, what streams carry,
 * options of runtimes and statistics of containers. Serves JSON printing and transports with JSON as well.
 */
export const anyRegistry: Registry = createRegistry(
  EmptySchema,
  file_cgroups_v1_metrics,
  file_cgroups_v2_metrics,
  file_events_container,
  file_events_content,
  file_events_image,
  file_events_namespace,
  file_events_sandbox,
  file_events_snapshot,
  file_events_task,
  StreamInitSchema,
  file_types_introspection,
  file_types_linux_runc,
  file_types_runc_options_oci,
  file_types_runtimeoptions_v1_api,
  file_types_transfer_container,
  file_types_transfer_imagestore,
  file_types_transfer_importexport,
  file_types_transfer_progress,
  file_types_transfer_registry,
  file_types_transfer_streaming,
)

/**
 * The message in an Any, if its type is in `anyRegistry`; undefined for every other type, whose bytes stay opaque.
 *
 * @throws invalid_argument for bytes that do not decode as the type
 */
export function unpackKnownAny(any: AnyLike): Message | undefined {
  const schema = anyRegistry.getMessage(typeName(any))
  return schema === undefined ? undefined : unpackAny(schema, any)
}
