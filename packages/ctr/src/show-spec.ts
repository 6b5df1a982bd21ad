import type { Platform } from '@nsbox/oci'
import { buildSpec, defaultSpec, encodeSpec } from '@nsbox/oci/runtime-spec'
import { indentJson } from './indent-json.ts'
import { printText } from './print.ts'

/** `oci spec` */
export function showSpec(namespace: string, platform: Platform): void {
  const spec = buildSpec(defaultSpec({ namespace, os: platform.os }), [])
  printText(`${indentJson(new TextDecoder().decode(encodeSpec(spec)))}\n`)
}
