import { deferred } from '@nsbox/concurrency'
import type { BackingRef } from '../database/unused.ts'

/** A snapshot that the backend is committing. */
export interface CommitUnderWay extends BackingRef {
  readonly namespace: string
  /** Its future key in the backend. */
  readonly key: string
  /** Its future name. */
  readonly name: string
  /** The ids of its backing and of its parent's. */
  readonly backing: number
  readonly parent: number | undefined
}

type NamesOfSnapshotter = Pick<CommitUnderWay, 'namespace' | 'snapshotter'>

/**
 * Commits that have been checked and are not yet in the database. The snapshots that they rely on cannot change
 * meanwhile, since a commit of the backend cannot be undone.
 */
export class CommitsUnderWay {
  readonly #commits = new Map<CommitUnderWay, Promise<void>>()

  /** Registers a commit until the result is disposed of. */
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

  /** The commit with this future name; there is at most one. */
  findName({ namespace, snapshotter }: NamesOfSnapshotter, name: string): CommitUnderWay | undefined {
    for (const commit of this.#commits.keys())
      if (commit.name === name && commit.namespace === namespace && commit.snapshotter === snapshotter)
        return commit
    return undefined
  }

  /** Whether a running commit has this future name. */
  hasName(names: NamesOfSnapshotter, name: string): boolean {
    return this.findName(names, name) !== undefined
  }

  /** Whether the snapshot with this backing is being committed. */
  isCommitting(backing: number): boolean {
    return this.#some((commit) => commit.backing === backing)
  }

  /** Whether the snapshot with this backing will be a parent in the namespace. */
  isParent(namespace: string, backing: number): boolean {
    return this.#some((commit) => commit.namespace === namespace && commit.parent === backing)
  }

  /** Whether a snapshot of the backend is committed there, but not yet in the database. */
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
