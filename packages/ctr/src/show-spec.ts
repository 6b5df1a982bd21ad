import type { Platform } from '@nsbox/oci'
import { buildSpec, defaultSpec, encodeSpec } from '@nsbox/oci/runtime-spec'

/** `oci spec` */
export function showSpec(namespace: string, platform: Platform): void {
  const spec = buildSpec(defaultSpec({ namespace, os: platform.os }), [])
  // None of the numbers in it is so big that a double could not hold it.
  console.log(JSON.stringify(JSON.parse(new TextDecoder().decode(encodeSpec(spec))), undefined, 4))
}
