import { deferred } from '@nsbox/concurrency'

/** A snapshot whose commit is under way. */
export interface ComingSnapshot {
  readonly id: number
  /** Its directory and those of the snapshots that it is going to be based on, itself first. */
  readonly paths: readonly string[]
  /** Resolves once its files stay as they are, or the commit has failed. */
  readonly filled: Promise<void>
  /** Resolves once it is recorded, or the commit has failed. */
  readonly ended: Promise<void>
}

/** A commit that is under way; disposing of it ends it. */
export interface Coming extends Disposable {
  /** Says that the files of the snapshot stay as they are. */
  fill(): void
}

/** The commits that are under way, by the names that they give: other commits may count on these already. */
export class ComingSnapshots {
  readonly #byName = new Map<string, ComingSnapshot>()
  readonly #ids = new Set<number>()

  /** Whether the snapshot with this id is being committed. */
  has(id: number): boolean {
    return this.#ids.has(id)
  }

  /** The snapshot that is going to have a name; of two that want it, the one that came first. */
  find(name: string): ComingSnapshot | undefined {
    return this.#byName.get(name)
  }

  begin(name: string, { id, paths }: Pick<ComingSnapshot, 'id' | 'paths'>): Coming {
    const { promise: filled, resolve: fill } = deferred()
    const { promise: ended, resolve: end } = deferred()
    const snapshot = { id, paths, filled, ended }
    this.#ids.add(id)
    if (!this.#byName.has(name)) this.#byName.set(name, snapshot)
    return {
      fill,
      [Symbol.dispose]: () => {
        this.#ids.delete(id)
        if (this.#byName.get(name) === snapshot) this.#byName.delete(name)
        fill()
        end()
      },
    }
  }
}
