import { packAny, typeName, unpackAny } from '@nsbox/api'
import { OptionsSchema as RuncOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { OptionsSchema as AnyOptionsSchema } from '@nsbox/api/gen/types/runtimeoptions/v1/api_pb'
import type { ContainerRuntime, OpaqueValue } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'
import type { IdMapping, Spec } from '@nsbox/oci/runtime-spec'
import type { RuntimeFlags } from './runtime-flags.ts'

const runc = 'io.containerd.runc.v2'

/** The runtime that the flags name, with its options. @throws `invalid_argument` for options of another one */
export function runtimeOf(flags: RuntimeFlags): ContainerRuntime {
  const { runcBinary, runcRoot, runcSystemdCgroup, runtime, runtimeConfigPath } = flags
  const ofRunc = runcBinary !== undefined || runcRoot !== undefined || runcSystemdCgroup === true
  if (runtimeConfigPath !== undefined) {
    if (ofRunc)
      throw new NsboxError('invalid_argument', '--runtime-config-path and options of runc exclude each other')
    const options = packAny(AnyOptionsSchema, { configPath: runtimeConfigPath })
    return { name: runtime, options }
  }
  if (runtime === runc) {
    const options = packAny(RuncOptionsSchema, {
      binaryName: runcBinary ?? '',
      root: runcRoot ?? '',
      systemdCgroup: runcSystemdCgroup === true,
    })
    return { name: runtime, options }
  }
  if (ofRunc) throw new NsboxError('invalid_argument', `runtime ${runtime} takes no options of runc`)
  return { name: runtime }
}

/**
 * A runtime that gives the container's input and output to its root, where that is another user of the host: programs
 * may open them anew then, as `/dev/stdout`.
 */
export function withMappedOwner(runtime: ContainerRuntime, { linux }: Spec): ContainerRuntime {
  const { name, options } = runtime
  const owner = { ioUid: rootOf(linux?.uidMappings), ioGid: rootOf(linux?.gidMappings) }
  if (options === undefined || typeName(options) !== RuncOptionsSchema.typeName) return runtime
  if (owner.ioUid === 0 && owner.ioGid === 0) return runtime
  return { name, options: packAny(RuncOptionsSchema, { ...unpackAny(RuncOptionsSchema, options), ...owner }) }
}

function rootOf(mappings: readonly IdMapping[] = []): number {
  return mappings.find(({ containerID }) => containerID === 0)?.hostID ?? 0
}

/**
 * A container's options with the root filesystem not being swapped by pivot_root(2), which does not work in an
 * initramfs.
 * @throws `invalid_argument` for options that are not runc's
 */
export function withoutPivot(options: OpaqueValue | undefined): OpaqueValue {
  if (options && typeName(options) !== RuncOptionsSchema.typeName) {
    throw new NsboxError(
      'invalid_argument',
      `--no-pivot: the container has options of type ${options.typeUrl}`,
    )
  }
  const own = options ? unpackAny(RuncOptionsSchema, options) : {}
  return packAny(RuncOptionsSchema, { ...own, noPivotRoot: true })
}
