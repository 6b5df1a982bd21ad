/** What all names stand for beyond those that have places of their own. */
const otherName = 'other'

/** The most characters of a name; the rest is cut off. */
const maxLength = 128

/**
 * Names from outside as values of a label. Each new one makes new series, so the first of them keep their names, and
 * all others are `other`.
 */
export class BoundedNames {
  readonly #names = new Set<string>()
  readonly #max: number

  /** @param max how many names are kept */
  constructor(max: number) {
    this.#max = max
  }

  of(name: string): string {
    const cut = name.slice(0, maxLength)
    if (this.#names.has(cut)) return cut
    if (this.#names.size >= this.#max) return otherName
    this.#names.add(cut)
    return cut
  }
}
