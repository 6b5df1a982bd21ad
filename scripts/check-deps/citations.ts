import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { readAttacks } from './threat-model.ts'
import type { Workspace } from './workspace.ts'

/** A text that may cite documents: a comment, or a document itself. */
interface Text {
  /** The file, relative to the root. */
  readonly file: string
  readonly text: string
}

const rules = 'docs/behaviour.md'
const attacks = 'docs/threat-model.md'

/**
 * Citations in comments and documents that lead nowhere: of a document or source that is not there, of a section that
 * docs/behaviour.md does not have, of an attack that docs/threat-model.md does not have, of a script that the root's
 * manifest does not have.
 */
export function checkCitations(workspace: Workspace): string[] {
  const sections = sectionsOf(read(join(workspace.root, rules)))
  const ids = readAttacks(read(join(workspace.root, attacks)))
  const { scripts = {} } = JSON.parse(read(join(workspace.root, 'package.json'))) as { scripts?: object }
  return [...textsOf(workspace)].flatMap(({ file, text }) => {
    const problems = [
      ...cited(text, rules, '§\\d+')
        .filter((section) => !sections.has(section))
        .map((section) => `cites ${rules} ${section}, which is no section of it`),
      ...cited(text, attacks, '[A-Z]\\d\\d')
        .filter((id) => !ids.rows.has(id) && !ids.surfaceless.has(id))
        .map((id) => `cites ${attacks} ${id}, which it does not have`),
      ...filesIn(text)
        .filter((name) => !isThere(workspace.root, file, name))
        .map((name) => `names ${name}, which is not in the repository`),
      ...[...text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)]
        .filter(([, script]) => !(script! in scripts))
        .map(([command]) => `says ${command}, which package.json does not have`),
      ...[...text.matchAll(byTitle)].map(([citation]) => `cites ${citation} instead of a path in docs/`),
    ]
    return [...new Set(problems)].map((problem) => `${file} ${problem}`)
  })
}

/** A document that is cited by a name in capital letters, with a section or an attack. RFCs are known to everybody. */
const byTitle = /\b(?!RFC )[A-Z]{4,} (?:§\d+|[A-Z]\d\d\b)/g

/** What a text cites of a document, such as `docs/behaviour.md §1, §3`. */
function cited(text: string, document: string, part: string): string[] {
  const citation = new RegExp(`${document}((?:,? (?:and )?${part}\\b)+)`, 'g')
  return [...text.matchAll(citation)].flatMap(([, parts]) => parts!.match(new RegExp(part, 'g')) ?? [])
}

/**
 * The documents that a text names, and sources by their paths from the root. Documents of specifications are named
 * without a path, and are not looked for here.
 */
function filesIn(text: string): string[] {
  const names =
    text.match(/(?<![\w/.@-])(?:[\w./@-]*\w\.md|(?:packages|scripts|test|bench)\/[\w./-]+\.m?ts)\b/g) ?? []
  return /\bspecification\b/.test(text) ? names.filter((name) => name.includes('/')) : names
}

/** Whether a document exists, named from the root, from the file's directory or from one above it. */
function isThere(root: string, file: string, name: string): boolean {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    const path = relative(root, join(root, directory, name))
    if (!path.startsWith('..') && existsSync(join(root, path))) return true
    if (directory === '.') return false
  }
}

function sectionsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^## (\d+)\. /gm)].map(([, number]) => `§${number}`))
}

function* textsOf({ root, packages, others }: Workspace): Generator<Text> {
  for (const { directory, files } of [...packages, ...others]) {
    for (const { path, comments } of files)
      for (const text of comments) yield { file: relative(root, path), text }
    yield* documentsAt(root, relative(root, directory))
  }
  yield* documentsAt(root, 'docs')
}

function* documentsAt(root: string, directory: string): Generator<Text> {
  if (!existsSync(join(root, directory))) return
  for (const name of readdirSync(join(root, directory)))
    if (name.endsWith('.md')) yield { file: join(directory, name), text: read(join(root, directory, name)) }
}

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')
