import type { AnyLike } from '@nsbox/api'
import { packAny, unpackAny } from '@nsbox/api'
import { RuntimeInfoSchema, RuntimeRequestSchema } from '@nsbox/api/gen/types/introspection_pb'
import type { TaskRuntime } from '@nsbox/core/tasks'
import { isRuntimeName } from '../runtime-names.ts'

/**
 * The `extra` of the runtime's plugin info.
 *
 * @param options a `containerd.types.RuntimeRequest`, to ask about another program than the default one
 */
export async function runtimeExtra(
  info: TaskRuntime['info'],
  options: AnyLike | undefined,
  signal: AbortSignal,
): Promise<ReturnType<typeof packAny>> {
  const request = options === undefined ? undefined : unpackAny(RuntimeRequestSchema, options)
  // Some clients send the runtime's name in the field for the path of its program.
  const path = request?.runtimePath
  const runtimePath = path === undefined || path === '' || isRuntimeName(path) ? undefined : path
  const { name, version, revision, features } = await info({ options: request?.options, runtimePath, signal })
  return packAny(RuntimeInfoSchema, {
    name,
    version: { version, revision },
    options: request?.options,
    features,
  })
}
