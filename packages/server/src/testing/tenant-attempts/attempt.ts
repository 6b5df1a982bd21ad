import { Code } from '@connectrpc/connect'
import { type Digest, mediaTypes } from '@nsbox/oci'
import type { TenantLab } from '../tenant-lab.ts'

/** What `create` takes for a message. */
export type Request = Record<string, unknown>

/** What one tenant tries with a method. */
export interface Attempt {
  /** A request for the tenant's own resources. */
  readonly own: Request
  /**
   * A request with the other tenant's names in the tenant's own namespace, where they are missing or the tenant's own.
   */
  readonly foreign?: { readonly request: Request; readonly codes: readonly (Code | 'ok')[] } | undefined
  /** Requests with resources of the host: refused as not permitted. */
  readonly host?: readonly Request[]
  /** The same, refused only when the resource is used. */
  readonly reached?: readonly Request[]
  /** Gets no answer by itself. */
  readonly waits?: boolean
}

/** What attempts are made on: what the second tenant tries to get of the first one and of the host. */
export interface Targets {
  readonly lab: TenantLab
  /** A directory of the host. */
  readonly sentinel: string
  /** A blob of the first tenant. */
  readonly blob: Digest
  /** A blob of the second one. */
  readonly ownBlob: Digest
  /** A snapshot that both have. */
  readonly chainId: Digest
  /** A registry's host and port. */
  readonly registry: string
}

export const services = 'containerd.services'

export const absent = [Code.NotFound]

/** An attempt that no tenant is permitted. */
export const never = (own: Request): Attempt => ({
  own,
  foreign: { request: own, codes: [Code.PermissionDenied] },
})

export function descriptor(digest: Digest) {
  return { mediaType: mediaTypes.ociManifest, digest, size: 30 }
}
