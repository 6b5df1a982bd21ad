import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Workspace } from './workspace.ts'

/** What the document says of attacks. */
export interface Attacks {
  /** Attacks that are withstood, each of which needs a test. */
  readonly rows: ReadonlySet<string>
  /** Attacks that have nothing to attack here, with the reason. */
  readonly surfaceless: ReadonlySet<string>
}

const path = 'docs/threat-model.md'

/**
 * Attacks in docs/threat-model.md that no test is named for, tests named for attacks that it does not have, and numbers
 * that it leaves out.
 */
export function checkThreatModel({ root, packages, others }: Workspace): string[] {
  const file = join(root, path)
  if (!existsSync(file)) return []
  const { rows, surfaceless } = readAttacks(readFileSync(file, 'utf8'))
  const tests = [...packages, ...others].flatMap(({ files }) => files).filter(({ kind }) => kind !== 'source')
  const tested = new Set(tests.flatMap(({ attacks }) => attacks))
  const known = new Set([...rows, ...surfaceless])
  return [
    ...[...rows]
      .filter((id) => !tested.has(id))
      .map((id) => `${path}: no test has a title that begins with ${id}`),
    ...[...rows].filter((id) => surfaceless.has(id)).map((id) => `${path}: ${id} has a row and no surface`),
    ...gaps(known).map((id) => `${path}: ${id} is missing`),
    ...tests.flatMap((test) =>
      test.attacks
        .filter((id) => !rows.has(id))
        .map((id) => `${relative(root, test.path)}: a title names ${id}, which has no row in ${path}`),
    ),
  ]
}

export function readAttacks(text: string): Attacks {
  const rows = [...text.matchAll(/^\| ([A-Z]\d\d) \|/gm)].map(([, id]) => id!)
  const [, reasons = ''] = /^Not applicable here:\n+((?:[- ] .*\n)+)/m.exec(text) ?? []
  return { rows: new Set(rows), surfaceless: new Set(reasons.match(/\b[A-Z]\d\d\b/g)) }
}

/** The numbers from 1 to the highest of each class that are not there. */
function gaps(ids: ReadonlySet<string>): string[] {
  const highest = new Map<string, number>()
  for (const id of ids) highest.set(id[0]!, Math.max(highest.get(id[0]!) ?? 0, Number(id.slice(1))))
  return [...highest].flatMap(([letter, last]) =>
    Array.from({ length: last }, (_, index) => `${letter}${String(index + 1).padStart(2, '0')}`).filter(
      (id) => !ids.has(id),
    ),
  )
}
