import type { AbortOptions, GivenPaths, PathUse, PathUses } from '@nsbox/core/tasks'

/** The paths of the host that a task uses, until it is gone. */
export class TaskUses {
  readonly #namespace: string
  readonly #uses: PathUses
  readonly #held: PathUse[] = []
  readonly #records = new Map<string, object>()

  constructor(namespace: string, uses: PathUses) {
    this.#namespace = namespace
    this.#uses = uses
  }

  /** Resumes the uses of an earlier process. @param records its `records` */
  static resume(namespace: string, uses: PathUses, records: readonly object[]): TaskUses {
    const resumed = new TaskUses(namespace, uses)
    for (const record of records) resumed.#keep(uses.resume(record))
    return resumed
  }

  /** As plain data, for a later process. */
  get records(): readonly object[] {
    return [...this.#records.values()]
  }

  /**
   * Registers further paths, before the task gets them.
   * @returns whether the records have changed
   * @throws as `PathUses.use`
   */
  async add(given: GivenPaths, options: AbortOptions = {}): Promise<boolean> {
    return this.#keep(await this.#uses.use(this.#namespace, given, options))
  }

  /** To be called when the task and all its mounts are gone. */
  release(): void {
    for (const use of this.#held.splice(0)) use[Symbol.dispose]()
    this.#records.clear()
  }

  /** A use that is held already, or is empty, is not kept again: a task may have any number of execs. */
  #keep(use: PathUse): boolean {
    const { record } = use
    const text = record && JSON.stringify(record)
    if (text === undefined || this.#records.has(text)) {
      use[Symbol.dispose]()
      return false
    }
    this.#held.push(use)
    this.#records.set(text, record!)
    return true
  }
}

/** For servers without snapshots whose paths tasks could use. */
export const noUses: PathUses = {
  use: async () => unused,
  resume: () => unused,
}

const unused: PathUse = { record: undefined, [Symbol.dispose]() {} }
