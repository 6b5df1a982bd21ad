/** A value of a type that the store does not know, as in a `google.protobuf.Any`. It is kept byte for byte. */
export interface OpaqueValue {
  /** What the value is; for messages the bare message name or `type.googleapis.com/` and the name. */
  readonly typeUrl: string
  readonly value: Uint8Array
}
