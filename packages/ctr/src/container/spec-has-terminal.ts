import type { OpaqueValue } from '@nsbox/core/containers'
import { parseSpec } from '@nsbox/oci/runtime-spec'

/** Whether the first process of a container has a terminal. @throws `invalid_argument` for what is no spec */
export function specHasTerminal({ value }: OpaqueValue): boolean {
  return parseSpec(value).process?.terminal === true
}
