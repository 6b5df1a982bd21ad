import { readFileSync } from 'node:fs'
import { type Comment, parseSync } from 'oxc-parser'
import { nativeCode } from './floors.ts'
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
  /** Those of them that are loaded with it: neither types, nor what is imported when it is called. */
  readonly staticImports: readonly string[]
  /** The packages with native code that texts in it are the names of. */
  readonly nativeCode: readonly string[]
  /** Whether it has an `export *`. */
  readonly exportsAll: boolean
  /** The texts of its comments, each in one line; line comments that follow each other are one. */
  readonly comments: readonly string[]
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
  const text = readFileSync(path, 'utf8')
  const { program, comments, errors } = parseSync(path, text)
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  const all = [...nodesOf(program)]
  const nodes = all.filter(({ type }) => importing.has(type))
  const texts = all.filter(({ type }) => type === 'Literal').map(({ value }) => value)
  return {
    path,
    kind: kindOf(path),
    imports: specifiers(nodes),
    staticImports: specifiers(nodes.filter(isStatic)),
    nativeCode: Object.keys(nativeCode).filter((name) => texts.includes(name)),
    exportsAll: nodes.some(({ type }) => type === 'ExportAllDeclaration'),
    comments: joinComments(text, comments),
    attacks: [...new Set(all.flatMap(attacksIn))],
    recursiveCalls: recursiveCalls(all),
  }
}

function specifiers(nodes: readonly Node[]): string[] {
  return nodes
    .map(({ source }) => (source as Node | null | undefined)?.value)
    .filter((value) => typeof value === 'string')
}

/** Whether what an import names is loaded with its file. */
function isStatic({ type, importKind, exportKind }: Node): boolean {
  return type.endsWith('Declaration') && importKind !== 'type' && exportKind !== 'type'
}

/** What a text that begins with the ids of attacks names: `A05`, or `A05, A06 and B01`. */
function attacksIn({ type, value }: Node): string[] {
  const text = type === 'TemplateElement' ? (value as { readonly raw: string }).raw : value
  if (typeof text !== 'string') return []
  return /^[A-Z]\d\d(?:(?:, | and )[A-Z]\d\d)*(?![\w-])/.exec(text)?.[0].match(/[A-Z]\d\d/g) ?? []
}

function joinComments(text: string, comments: readonly Comment[]): string[] {
  const joined: string[] = []
  let end = -1
  for (const comment of comments) {
    const line = comment.value.replace(/\s*\n\s*\*?\s*/g, ' ').trim()
    const follows = comment.type === 'Line' && end !== -1 && text.slice(end, comment.start).trim() === ''
    if (follows) joined[joined.length - 1] += ` ${line}`
    else joined.push(line)
    end = comment.type === 'Line' ? comment.end : -1
  }
  return joined
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
