import { randomBytes } from 'node:crypto'
import type { Digest } from '@nsbox/oci'

const prefix = 'extract-'

/**
 * A new key for the snapshot that a layer is applied to, before it is committed under its chain id
 * (docs/behaviour.md §5).
 */
export function extractionKey(chainId: Digest): string {
  return `${prefix}${process.hrtime.bigint()}-${randomBytes(3).toString('base64url')} ${chainId}`
}

/** Whether a snapshot with this key is for applying a layer, now or in a process that died. */
export function isExtractionKey(key: string): boolean {
  return key.startsWith(prefix)
}
