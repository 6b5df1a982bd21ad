import type { Subject } from '../subjects.ts'
import type { BenchCorpus } from './corpus.ts'

/** One line of the table. */
export interface Row {
  /** By which `--rows` chooses it. */
  readonly id: string
  /** In Markdown. */
  readonly what: string
  /** Of more than one per second more is better, of everything else less. */
  readonly unit: 'per s' | 'ms' | 'MB'
  readonly goal?: Goal
}

export interface Goal {
  /** Ours by containerd's: at least this where more is better, at most this otherwise. */
  readonly ratio?: number
  /** The most that ours may be, whatever containerd's is. */
  readonly most?: number
}

/** Rows that are measured together, on daemons that they share. */
export interface RowGroup {
  readonly rows: readonly Row[]
  /** Measures one daemon once. @returns the values of each row */
  measure(subject: Subject, context: BenchContext): Promise<Measured>
}

/** By the ids of rows. */
export type Measured = Readonly<Record<string, readonly number[]>>

export interface BenchContext {
  readonly corpus: BenchCorpus
  /** What `freshDisk` makes file systems in. */
  readonly disks: string
  /** The client in Go, `../calls`. */
  readonly calls: string
  readonly scale: Scale
  /** Whether any of these rows is wanted. */
  wanted(...ids: readonly string[]): boolean
}

/** How much is done for each value. */
export interface Scale {
  /** Of each file system, in megabytes. */
  readonly disk: number
  /** How much memory is made sure of before it is needed, in megabytes. */
  readonly memory: number
  /** Of calling the same method. */
  readonly seconds: number
  readonly records: number
  readonly starts: number
  readonly runs: number
  readonly idleContainers: number
  readonly builds: number
}

export const scales: Readonly<Record<'whole' | 'quick', Scale>> = {
  whole: {
    disk: 5000,
    memory: 3000,
    seconds: 2,
    records: 500,
    starts: 5,
    runs: 20,
    idleContainers: 50,
    builds: 5,
  },
  quick: {
    disk: 700,
    memory: 100,
    seconds: 0.3,
    records: 20,
    starts: 1,
    runs: 2,
    idleContainers: 3,
    builds: 1,
  },
}
