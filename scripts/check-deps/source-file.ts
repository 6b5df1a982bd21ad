import { readFileSync } from 'node:fs'
import { parseSync } from 'oxc-parser'
import { type Node, recursiveCalls } from './recursive-calls.ts'

export interface SourceFile {
  /** Absolute. */
  readonly path: string
  /**
   * A suite is what the package `compliance` offers to others. What tests of one package share lies in `testing`
   * and counts as a test.
   */
  readonly kind: 'source' | 'suite' | 'test'
  /** What it imports, as written, types included. */
  readonly imports: readonly string[]
  /** Whether it has an `export *`. */
  readonly exportsAll: boolean
  /** The attacks that texts in it begin with, such as titles of tests: `A05`. */
  readonly attacks: readonly string[]
  /** Functions of node:fs by which it walks trees, once for each call. */
  readonly recursiveCalls: readonly string[]
}

const importing = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

export function readSourceFile(path: string): SourceFile {
  const { program, errors } = parseSync(path, readFileSync(path, 'utf8'))
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  const all = [...nodesOf(program)]
  const nodes = all.filter(({ type }) => importing.has(type))
  return {
    path,
    kind: kindOf(path),
    imports: nodes
      .map(({ source }) => (source as Node | null | undefined)?.value)
      .filter((value) => typeof value === 'string'),
    exportsAll: nodes.some(({ type }) => type === 'ExportAllDeclaration'),
    attacks: [...new Set(all.flatMap(attacksIn))],
    recursiveCalls: recursiveCalls(all),
  }
}

/** What a text that begins with the ids of attacks names: `A05`, or `A05, A06 and B01`. */
function attacksIn({ type, value }: Node): string[] {
  const text = type === 'TemplateElement' ? (value as { readonly raw: string }).raw : value
  if (typeof text !== 'string') return []
  return /^[A-Z]\d\d(?:(?:, | and )[A-Z]\d\d)*(?![\w-])/.exec(text)?.[0].match(/[A-Z]\d\d/g) ?? []
}

function kindOf(path: string): SourceFile['kind'] {
  if (path.endsWith('.test.ts') || path.includes('/src/testing/')) return 'test'
  return path.includes('/packages/compliance/') ? 'suite' : 'source'
}

/** A syntax tree's nodes, whatever fields they hang on. */
function* nodesOf(tree: unknown): Generator<Node> {
  if (typeof tree !== 'object' || tree === null) return
  if ('type' in tree && typeof tree.type === 'string') yield tree as Node
  for (const value of Object.values(tree)) yield* nodesOf(value)
}
