import type { DescService } from '@bufbuild/protobuf'
import { createServiceImplSpec, type MethodImplSpec, type ServiceImpl } from '@connectrpc/connect'

/** A service with its implementation. */
export interface ImplementedService {
  readonly name: string
  /** By their names on the wire. */
  readonly methods: ReadonlyMap<string, MethodImplSpec>
}

/**
 * Pairs a service with its implementation. Missing methods are answered with `unimplemented`.
 *
 * @param serviceName the name on the wire; that of the service by default
 */
export function implementService<Desc extends DescService>(
  service: Desc,
  implementation: Partial<ServiceImpl<Desc>>,
): ImplementedService {
  const { methods } = createServiceImplSpec(service, implementation)
  return {
    name: service.typeName,
    methods: new Map(Object.values(methods).map((spec) => [spec.method.name, spec])),
  }
}
