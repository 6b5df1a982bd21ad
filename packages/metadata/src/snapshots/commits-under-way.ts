import { deferred } from '@nsbox/concurrency'
import type { BackingRef } from '../database/unused.ts'

/** A snapshot that the backend is committing. */
export interface CommitUnderWay extends BackingRef {
  readonly namespace: string
  /** The key that it is going to have in the backend. */
  readonly key: string
  /** The name that it is going to have. */
  readonly name: string
  /** The ids of its backing and of its parent's. */
  readonly backing: number
  readonly parent: number | undefined
}

type NamesOfSnapshotter = Pick<CommitUnderWay, 'namespace' | 'snapshotter'>

/**
 * The commits that have been checked and are not in the database yet. What they rely on stays as it is meanwhile, since
 * a commit of the backend cannot be taken back.
 */
export class CommitsUnderWay {
  readonly #commits = new Map<CommitUnderWay, Promise<void>>()

  /** Notes a commit until what is returned is disposed of. */
  begin(commit: CommitUnderWay): Disposable {
    const { promise, resolve } = deferred()
    this.#commits.set(commit, promise)
    return {
      [Symbol.dispose]: () => {
        this.#commits.delete(commit)
        resolve()
      },
    }
  }

  /** Resolves at the end of the commit under a name, if there is one. */
  async named(names: NamesOfSnapshotter, name: string): Promise<void> {
    const commit = this.findName(names, name)
    if (commit !== undefined) await this.#commits.get(commit)
  }

  /** The commit that is going to give a name; there is one at most. */
  findName({ namespace, snapshotter }: NamesOfSnapshotter, name: string): CommitUnderWay | undefined {
    for (const commit of this.#commits.keys())
      if (commit.name === name && commit.namespace === namespace && commit.snapshotter === snapshotter)
        return commit
    return undefined
  }

  /** Whether a name is going to be given. */
  hasName(names: NamesOfSnapshotter, name: string): boolean {
    return this.findName(names, name) !== undefined
  }

  /** Whether the snapshot with this backing is being committed. */
  isCommitting(backing: number): boolean {
    return this.#some((commit) => commit.backing === backing)
  }

  /** Whether a snapshot of the namespace is about to be based on the one with this backing. */
  isParent(namespace: string, backing: number): boolean {
    return this.#some((commit) => commit.namespace === namespace && commit.parent === backing)
  }

  /** Whether a snapshot of the backend is one whose commit the database does not have yet. */
  isPublished({ snapshotter, key }: BackingRef): boolean {
    return this.#some((commit) => commit.snapshotter === snapshotter && commit.key === key)
  }

  /** The backings of a namespace that must not be collected. */
  backings(namespace: string): number[] {
    return [...this.#commits.keys()]
      .filter((commit) => commit.namespace === namespace)
      .flatMap(({ backing, parent }) => (parent === undefined ? [backing] : [backing, parent]))
  }

  #some(test: (commit: CommitUnderWay) => boolean): boolean {
    for (const commit of this.#commits.keys()) if (test(commit)) return true
    return false
  }
}
