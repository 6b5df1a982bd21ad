import { type AnyLike, typeName, unpackAny } from '@nsbox/api'
import { OCIRegistrySchema } from '@nsbox/api/gen/types/transfer/registry_pb'
import { admitNone } from './tenant-container.ts'

/**
 * Refuses an endpoint of a transfer that names paths of the host. Which registries a tenant may reach is checked by the
 * registry client, which knows the addresses.
 *
 * @throws `permission_denied`, naming the field
 */
export function admitEndpoint(any: AnyLike | undefined): void {
  if (any === undefined || typeName(any) !== OCIRegistrySchema.typeName) return
  const { resolver } = unpackAny(OCIRegistrySchema, any)
  admitNone({ host_dir: resolver?.hostDir, logs_stream: resolver?.logsStream })
}
