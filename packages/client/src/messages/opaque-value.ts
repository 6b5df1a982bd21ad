import type { Any } from '@bufbuild/protobuf/wkt'
import type { OpaqueValue } from '@nsbox/core/tasks'

/** An opaque value from a response; undefined stays undefined. */
export function receivedOpaque(any: Pick<Any, 'typeUrl' | 'value'>): OpaqueValue
export function receivedOpaque(any: Pick<Any, 'typeUrl' | 'value'> | undefined): OpaqueValue | undefined
export function receivedOpaque(any: Pick<Any, 'typeUrl' | 'value'> | undefined): OpaqueValue | undefined {
  return any && { typeUrl: any.typeUrl, value: any.value }
}
