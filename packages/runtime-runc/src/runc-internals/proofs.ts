import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Proof } from './probe.ts'
import type { Program } from './program.ts'

/** Changes with what a probe proves. */
const format = 1
/** How many programs are remembered. */
const most = 16

/** The results of probes since the start of the host, in a file. */
export class Proofs {
  readonly #path: string
  #known: Map<string, Proof> | undefined

  /** @param path a file that need not exist */
  constructor(path: string) {
    this.#path = path
  }

  /** Undefined for a program that has not passed a probe. */
  of({ identity }: Program): Proof | undefined {
    this.#known ??= this.#read()
    return this.#known.get(identity)
  }

  add({ identity }: Program, proof: Proof): void {
    this.#known = new Map([...(this.#known ?? this.#read()), [identity, proof] as const].slice(-most))
    const unfinished = `${this.#path}.new`
    writeFileSync(unfinished, JSON.stringify({ format, proofs: [...this.#known] }), { mode: 0o600 })
    renameSync(unfinished, this.#path)
  }

  /** A file that cannot be read proves nothing. */
  #read(): Map<string, Proof> {
    try {
      const { format: found, proofs } = JSON.parse(readFileSync(this.#path, 'utf8'))
      return new Map(found === format ? proofs : [])
    } catch {
      return new Map()
    }
  }
}
