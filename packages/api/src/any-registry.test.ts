import { toJson } from '@bufbuild/protobuf'
import { AnySchema, EmptySchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, it } from 'vitest'
import { packAny } from './any.ts'
import { anyRegistry, unpackKnownAny } from './any-registry.ts'
import { MetricsSchema as V1MetricsSchema } from './gen/cgroups/v1/metrics_pb.ts'
import { MetricsSchema as V2MetricsSchema } from './gen/cgroups/v2/metrics_pb.ts'
import { ImageCreateSchema } from './gen/events/image_pb.ts'
import { TaskExitSchema } from './gen/events/task_pb.ts'
import { OptionsSchema } from './gen/types/runc/options/oci_pb.ts'
import { OCIRegistrySchema } from './gen/types/transfer/registry_pb.ts'

describe('unpackKnownAny', () => {
  it('reads events, transfer types, runtime options, statistics and the confirmation of a stream', () => {
    const anys = [
      packAny(ImageCreateSchema, { name: 'a' }),
      packAny(TaskExitSchema, { containerId: 'a' }),
      packAny(OCIRegistrySchema, { reference: 'a' }),
      packAny(OptionsSchema, { binaryName: 'a' }),
      packAny(V1MetricsSchema, { pids: { current: 1n } }),
      packAny(V2MetricsSchema, { pids: { current: 1n } }),
      packAny(EmptySchema, {}),
    ]
    expect(anys.map((any) => unpackKnownAny(any)?.$typeName)).toEqual([
      'containerd.services.images.v1.ImageCreate',
      'containerd.events.TaskExit',
      'containerd.types.transfer.OCIRegistry',
      'containerd.runc.v1.Options',
      'io.containerd.cgroups.v1.Metrics',
      'io.containerd.cgroups.v2.Metrics',
      'google.protobuf.Empty',
    ])
  })

  it.each(['', 'example.Unknown', 'types.containerd.io/opencontainers/runtime-spec/1/Spec', 'constructor'])(
    'leaves the type %j opaque',
    (typeUrl) => {
      expect(unpackKnownAny({ typeUrl, value: Uint8Array.of(1) })).toBeUndefined()
    },
  )

  it('refuses bytes that are no message of a known type', () => {
    expect(() =>
      unpackKnownAny({ typeUrl: 'containerd.events.TaskExit', value: Uint8Array.of(0xff) }),
    ).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })
})

describe('anyRegistry', () => {
  it('prints an Any with a bare type name as JSON', () => {
    expect(
      toJson(AnySchema, packAny(TaskExitSchema, { containerId: 'a', exitStatus: 137 }), {
        registry: anyRegistry,
      }),
    ).toEqual({ '@type': 'containerd.events.TaskExit', containerId: 'a', exitStatus: 137 })
  })
})
