import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Subject } from '../subjects.ts'
import { frequency, Profile } from './profile.ts'
import type { BenchContext, Measured, Row, RowGroup } from './row.ts'
import { type Part, partOf } from './sample-part.ts'
import { type Span, spans } from './timed.ts'

/** Milliseconds of all processors by part, for each time that a work is done. */
export type Parts = Readonly<Partial<Record<Part, number>>>

/** Where the time of a row goes. */
export interface RowParts {
  /** Those that are measured at once, such as a record's creation and its removal. */
  readonly rows: readonly Row[]
  /** By the names of subjects. */
  readonly subjects: Readonly<Record<string, Parts>>
}

/** Does the work of rows again, each by every subject, and profiles the whole machine meanwhile. */
export async function partsOf(
  wanted: readonly Row[],
  groups: readonly RowGroup[],
  subjects: readonly Subject[],
  context: BenchContext & { readonly directory: string },
): Promise<RowParts[]> {
  const found: RowParts[] = []
  for (const group of groups) {
    const rows = group.rows.filter((row) => wanted.includes(row))
    if (rows.length === 0) continue
    const profiles = new Map<string, ReadonlyMap<string, Parts>>()
    for (const subject of subjects) {
      profiles.set(subject.name, await profiled(group, rows, subject, context))
      console.error(JSON.stringify({ subject: subject.name, profiled: rows.map(({ id }) => id) }))
    }
    const [first] = profiles.values()
    for (const works of first!.keys()) {
      const ids = works.split(' ')
      // One work of a subject may stand for several of another.
      const same = (parts: ReadonlyMap<string, Parts>) =>
        [...parts].find(([other]) => other.split(' ').includes(ids[0]!))?.[1] ?? {}
      found.push({
        rows: rows.filter(({ id }) => ids.includes(id)),
        subjects: Object.fromEntries([...profiles].map(([name, parts]) => [name, same(parts)])),
      })
    }
  }
  return found
}

/** @returns by the ids of rows that are measured at once, with blanks between them */
async function profiled(
  group: RowGroup,
  rows: readonly Row[],
  subject: Subject,
  { directory, ...context }: BenchContext & { readonly directory: string },
): Promise<ReadonlyMap<string, Parts>> {
  const ids = rows.map(({ id }) => id)
  const only = { ...context, wanted: (...names: readonly string[]) => names.some((id) => ids.includes(id)) }
  const first = spans.length
  await using profile = await Profile.start(directory)
  const helpers = new Helpers()
  const measured = await group.measure(subject, only)
  const processes = { daemon: await helpers.end(), own: process.pid }
  const own = spans.slice(first).filter((span) => span.rows.some((id) => ids.includes(id)))
  const tallies = new Map<Span, Partial<Record<Part, number>>>(own.map((span) => [span, {}]))
  for await (const sample of profile.samples()) {
    const span = own.find(({ from, to }) => sample.time >= from && sample.time < to)
    if (span === undefined) continue
    const part = partOf(sample, processes)
    const tally = tallies.get(span)!
    tally[part] = (tally[part] ?? 0) + 1000 / frequency
  }
  const sums = new Map<string, Partial<Record<Part, number>>>()
  for (const [span, tally] of tallies) {
    const works = span.rows.filter((id) => ids.includes(id)).join(' ')
    const times = timesOf(span, rows, measured, own)
    const sum = sums.get(works) ?? {}
    sums.set(works, sum)
    for (const [part, value] of Object.entries(tally) as [Part, number][])
      sum[part] = (sum[part] ?? 0) + value / times
  }
  return sums
}

/** How often the work was done in all spans of the same rows. */
function timesOf(span: Span, rows: readonly Row[], measured: Measured, all: readonly Span[]): number {
  const [id] = span.rows
  if (rows.find((row) => span.rows.includes(row.id))!.unit !== 'per s')
    return all.filter(({ rows: [other] }) => other === id).length
  const each = span.rows.map((row) => 1 / measured[row]![0]!).reduce((sum, seconds) => sum + seconds, 0)
  return (span.to - span.from) / each
}

/** Collects the processes of the daemon's group while they are there. */
class Helpers {
  readonly #found = new Set<number>()
  readonly #ends = new AbortController()
  readonly #collecting = this.#collect()

  async #collect(): Promise<void> {
    const { signal } = this.#ends
    const file = `/sys/fs/cgroup/cpuacct/nsbox-bench-${process.pid}/cgroup.procs`
    while (!signal.aborted) {
      const pids = await readFile(file, 'utf8').catch(() => '')
      for (const pid of pids.split('\n')) if (pid !== '') this.#found.add(Number(pid))
      await sleep(20)
    }
  }

  async end(): Promise<ReadonlySet<number>> {
    this.#ends.abort()
    await this.#collecting
    return this.#found
  }
}
