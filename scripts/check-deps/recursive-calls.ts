/** A node of a syntax tree, as oxc-parser gives it. */
export interface Node {
  readonly type: string
  readonly [field: string]: unknown
}

/** Functions of node:fs that can walk a whole tree by paths. `mkdir` makes one path only. */
const walking: ReadonlySet<string> = new Set(
  ['rm', 'cp', 'readdir', 'opendir', 'rmdir'].flatMap((name) => [name, `${name}Sync`]),
)
const modules: ReadonlySet<unknown> = new Set(['node:fs', 'node:fs/promises', 'fs', 'fs/promises'])

/**
 * The calls by which a file walks trees by node:fs, in words: with the option `recursive`, or with options that may
 * have it because they are made elsewhere.
 */
export function recursiveCalls(nodes: readonly Node[]): string[] {
  const { functions, namespaces } = importsOf(nodes)
  return nodes
    .filter(({ type }) => type === 'CallExpression')
    .flatMap((call) => {
      const name = calledFunction(call.callee as Node, functions, namespaces)
      if (name === undefined) return []
      const options = (call.arguments as readonly Node[]).slice(1)
      return options.some(mayBeRecursive) ? [name] : []
    })
}

/** What a file calls functions of node:fs, and the module itself. */
function importsOf(nodes: readonly Node[]): { functions: Map<string, string>; namespaces: Set<string> } {
  const functions = new Map<string, string>()
  const namespaces = new Set<string>()
  for (const { type, source, specifiers } of nodes) {
    if (type !== 'ImportDeclaration' || !modules.has((source as Node).value)) continue
    for (const { type: kind, local, imported } of specifiers as readonly Node[]) {
      const name = (local as Node).name as string
      const original = kind === 'ImportSpecifier' ? ((imported as Node).name as string) : 'promises'
      if (original === 'promises') namespaces.add(name)
      else functions.set(name, original)
    }
  }
  return { functions, namespaces }
}

function calledFunction(
  callee: Node,
  functions: ReadonlyMap<string, string>,
  namespaces: ReadonlySet<string>,
): string | undefined {
  const name =
    callee.type === 'Identifier' ? functions.get(callee.name as string) : memberOf(callee, namespaces)
  return name !== undefined && walking.has(name) ? name : undefined
}

/** The function of `fs.rm` and `fs.promises.rm`. */
function memberOf({ type, object, property }: Node, namespaces: ReadonlySet<string>): string | undefined {
  if (type !== 'MemberExpression') return undefined
  let root = object as Node
  if (root.type === 'MemberExpression' && (root.property as Node).name === 'promises')
    root = root.object as Node
  const isModule = root.type === 'Identifier' && namespaces.has(root.name as string)
  return isModule ? ((property as Node).name as string) : undefined
}

function mayBeRecursive(options: Node): boolean {
  // An encoding, a callback.
  if (['Literal', 'ArrowFunctionExpression', 'FunctionExpression'].includes(options.type)) return false
  if (options.type !== 'ObjectExpression') return true
  return (options.properties as readonly Node[]).some(({ type, key, value }) => {
    if (type !== 'Property') return true
    const { name, value: text } = key as Node
    return (name === 'recursive' || text === 'recursive') && (value as Node).value !== false
  })
}
