import type { Digest } from '@nsbox/oci'
import type { Reader } from '@nsbox/sqlite'
import { isOffered, ownersOf } from './blob-row.ts'

/**
 * Whether a namespace may take over what another has (docs/behaviour.md §3): a blob without bringing its bytes, and a
 * layer that the server has unpacked without unpacking it again.
 */
export type SharingPolicy = 'shared' | 'isolated'

/**
 * The policy of one namespace. One that is `sealed` neither takes anything over nor has anything that others could take
 * over, whatever its labels say.
 */
export type NamespacePolicy = SharingPolicy | 'sealed'

/** One policy for all namespaces, or a function that gives that of each; it is called anew each time. */
export type Policy = SharingPolicy | ((namespace: string) => NamespacePolicy)

/** Which namespaces may use what others have. */
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
    // A blob that no namespace has any more, or not yet, is as good as others, unless it may be a sealed one's.
    return (
      typeof this.#policy === 'string' || ownersOf(db, digest).some((owner) => this.of(owner) !== 'sealed')
    )
  }

  /** Whether any namespace has a snapshot over the backing that others may have. */
  givesBacking(db: Reader, backing: number): boolean {
    if (typeof this.#policy === 'string') return this.#policy === 'shared'
    return db
      .all<{ namespace: string }>('SELECT DISTINCT namespace FROM snapshot WHERE backing = ?', backing)
      .some(({ namespace }) => this.of(namespace) === 'shared')
  }
}
