import type { AbortOptions } from '@nsbox/concurrency'

/** A registry's request for credentials. */
export interface CredentialRequest {
  /** Host and port as in the reference, such as `docker.io` or `127.0.0.1:5000`. */
  readonly host: string
  readonly reference?: string | undefined
  /** The `WWW-Authenticate` values of the refusal. */
  readonly challenges: readonly string[]
}

/** A secret for one host: a password, an OAuth refresh token, or a whole `Authorization` value. */
export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'refresh'; readonly token: string }
  | { readonly kind: 'header'; readonly authorization: string }

/** Returns the credentials for a host; undefined for anonymous access. */
export type CredentialSource = (
  request: CredentialRequest,
  options?: AbortOptions,
) => Promise<Credentials | undefined>
