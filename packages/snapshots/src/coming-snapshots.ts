import { deferred } from '@nsbox/concurrency'

/** A snapshot whose commit is running. */
export interface ComingSnapshot {
  readonly id: number
  /** Its directory, then those of its future parents, the nearest first. */
  readonly paths: readonly string[]
  /** Resolves once its files are final, or the commit has failed. */
  readonly filled: Promise<void>
  /** Resolves once it is recorded, or the commit has failed. */
  readonly ended: Promise<void>
}

/** A running commit; disposing of it ends it. */
export interface Coming extends Disposable {
  /** Reports that the files of the snapshot are final. */
  fill(): void
}

/** The running commits, by their names: other commits may already use these as parents. */
export class ComingSnapshots {
  readonly #byName = new Map<string, ComingSnapshot>()
  readonly #ids = new Set<number>()

  /** Whether the snapshot with this id is being committed. */
  has(id: number): boolean {
    return this.#ids.has(id)
  }

  /** The snapshot that is being committed under a name; of two, the first. */
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
