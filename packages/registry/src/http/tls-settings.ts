import { createHash } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { nodeAuthorities } from './system-authorities.ts'

/** How to verify a server, and how to authenticate to it. */
export interface TlsSettings {
  /** Equal for equal settings, and empty for default ones. */
  readonly id: string
  /** PEM files, trusted besides the usual authorities. */
  readonly ca: readonly string[]
  /** Client certificates with their keys in PEM, to show to a server that asks. */
  readonly client: readonly ClientCertificate[]
  /** Take any certificate. */
  readonly skipVerify: boolean
}

export interface ClientCertificate {
  readonly cert: string
  /** Absent if `cert` has the key as well. */
  readonly key?: string | undefined
}

export function tlsSettings({
  ca = [],
  client = [],
  skipVerify = false,
}: Partial<Omit<TlsSettings, 'id'>> = {}): TlsSettings {
  const plain = ca.length === 0 && client.length === 0 && !skipVerify
  const id = plain
    ? ''
    : createHash('sha256')
        .update(JSON.stringify([ca, client, skipVerify]))
        .digest('hex')
  return { id, ca, client, skipVerify }
}

/** The settings for another origin that a server points to: the same authorities, without client certificates. */
export function withoutClient(tls: TlsSettings): TlsSettings {
  return tls.client.length === 0 ? tls : tlsSettings({ ca: tls.ca, skipVerify: tls.skipVerify })
}

/**
 * The settings in Node's form, made once since parsing all authorities takes milliseconds.
 * @param system authorities to trust besides those that Node knows
 */
export function connectOptions(
  { ca, client, skipVerify }: TlsSettings,
  system: readonly string[],
): {
  secureContext?: SecureContext
  rejectUnauthorized: boolean
} {
  const rejectUnauthorized = !skipVerify
  if (ca.length === 0 && client.length === 0 && system.length === 0) return { rejectUnauthorized }
  const secureContext = createSecureContext({
    ca: [...nodeAuthorities(), ...system, ...ca],
    ...(client.length > 0 && {
      cert: client.map(({ cert }) => cert),
      key: client.map(({ cert, key = cert }) => key),
    }),
  })
  return { secureContext, rejectUnauthorized }
}
