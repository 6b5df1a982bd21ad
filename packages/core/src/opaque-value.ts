/**
 * A value of a type that only its maker and its reader know, as `google.protobuf.Any` carries it. It is stored and
 * handed on byte for byte.
 */
export interface OpaqueValue {
  /** What the value is; for messages the bare message name or `type.googleapis.com/` and the name. */
  readonly typeUrl: string
  readonly value: Uint8Array
}
