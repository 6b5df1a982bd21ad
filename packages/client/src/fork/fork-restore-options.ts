import { create } from '@bufbuild/protobuf'
import { packAny, typeName, unpackAny } from '@nsbox/api'
import { type Options, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { OptionsSchema as AnyRuntimeOptionsSchema } from '@nsbox/api/gen/types/runtimeoptions/v1/api_pb'
import type { ContainerRuntime, OpaqueValue } from '@nsbox/core/containers'

/**
 * The options of a container's runtime for a task that is restored from images in a directory. A task's options replace
 * the container's, so they repeat those.
 *
 * @throws `invalid_argument` for options that are not runc's
 */
export function restoreOptions({ options }: ContainerRuntime, images: string): OpaqueValue {
  const { typeUrl, value } = packAny(OptionsSchema, { ...runcOptions(options), criuImagePath: images })
  return { typeUrl, value }
}

function runcOptions(options: OpaqueValue | undefined): Options {
  if (options === undefined || (options.typeUrl === '' && options.value.length === 0))
    return create(OptionsSchema)
  if (typeName(options) !== AnyRuntimeOptionsSchema.typeName) return unpackAny(OptionsSchema, options)
  // The form in which clients pass on options that they do not know.
  const { typeUrl, configBody } = unpackAny(AnyRuntimeOptionsSchema, options)
  return runcOptions({ typeUrl, value: configBody })
}
