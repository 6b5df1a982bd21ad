import type { Digest } from '@nsbox/oci'
import type { Reader } from '@nsbox/sqlite'
import { isOffered, ownersOf } from './blob-row.ts'

/**
 * Whether a namespace may take over content of others (docs/behaviour.md §3): a blob without sending its bytes, and a
 * layer that the server has unpacked without unpacking it again.
 */
export type SharingPolicy = 'shared' | 'isolated'

/**
 * The policy of one namespace. A `sealed` one neither takes over content of others nor gives others any, whatever its
 * labels say.
 */
export type NamespacePolicy = SharingPolicy | 'sealed'

/** One policy for all namespaces, or a function that returns that of each, and is called each time. */
export type Policy = SharingPolicy | ((namespace: string) => NamespacePolicy)

/** Which namespaces may use content of others. */
export class Sharing {
  readonly #policy: Policy

  constructor(policy: Policy) {
    this.#policy = policy
  }

  of(namespace: string): NamespacePolicy {
    return typeof this.#policy === 'function' ? this.#policy(namespace) : this.#policy
  }

  /** Whether the namespace may have a blob of the backend without its bytes. */
  givesBlob(db: Reader, namespace: string, digest: Digest): boolean {
    const policy = this.of(namespace)
    if (policy === 'sealed') return false
    if (policy === 'isolated') return isOffered(db, digest, (other) => this.of(other) !== 'sealed')
    // A blob without a namespace may be used like others, unless it may belong to a sealed one.
    return (
      typeof this.#policy === 'string' || ownersOf(db, digest).some((owner) => this.of(owner) !== 'sealed')
    )
  }

  /** Whether a namespace that gives others its content has a snapshot with this backing. */
  givesBacking(db: Reader, backing: number): boolean {
    if (typeof this.#policy === 'string') return this.#policy === 'shared'
    return db
      .all<{ namespace: string }>('SELECT DISTINCT namespace FROM snapshot WHERE backing = ?', backing)
      .some(({ namespace }) => this.of(namespace) === 'shared')
  }
}
