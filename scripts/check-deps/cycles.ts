import { basename, dirname, join, relative, sep } from 'node:path'
import type { SourceFile } from './source-file.ts'
import type { Package, Workspace } from './workspace.ts'

/** Nodes, each with those that it depends on. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** Circles of imports within a package, types included; each is told once. */
export function checkCycles({ root, packages }: Workspace): string[] {
  return packages.flatMap(({ files }) =>
    findCycles(graphOf(files, (path) => path)).map(
      (cycle) => `imports go in a circle: ${shown(root, cycle)}`,
    ),
  )
}

/**
 * Circles of folders. Folders beside each other, each with all that is below it, may not depend on each other in a
 * circle, so that each can be understood after those that it depends on. Files beside them, and an index, which is an
 * entry to its package, are of no folder; tests do not count.
 */
export function checkFolderCycles({ root, packages }: Workspace): string[] {
  return packages.flatMap((pkg) =>
    parentFolders(pkg).flatMap((parent) => {
      const sources = pkg.files.filter(({ kind, path }) => kind !== 'test' && basename(path) !== 'index.ts')
      const graph = graphOf(sources, (path) => childFolder(parent, path))
      return findCycles(graph).map((cycle) => `folders go in a circle: ${shown(root, cycle)}`)
    }),
  )
}

/** The folders of a package's sources, and those above. */
function parentFolders({ directory, files }: Package): string[] {
  const found = new Set<string>()
  for (const { path } of files)
    for (let at = dirname(path); at !== directory && !found.has(at); at = dirname(at)) found.add(at)
  return [...found]
}

/** The folder directly in another one that a file is in, at any depth. */
function childFolder(parent: string, path: string): string | undefined {
  if (!path.startsWith(parent + sep)) return undefined
  const [name, ...rest] = path.slice(parent.length + 1).split(sep)
  return rest.length === 0 ? undefined : join(parent, name!)
}

/** Who imports whom. @param nodeOf what a file belongs to; undefined for what does not count */
function graphOf(
  files: readonly SourceFile[],
  nodeOf: (path: string) => string | undefined,
): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>()
  for (const { path, imports } of files) {
    const from = nodeOf(path)
    for (const specifier of imports) {
      const to = specifier.startsWith('.') ? nodeOf(join(dirname(path), specifier)) : undefined
      if (from === undefined || to === undefined || (from === to && to !== path)) continue
      graph.set(from, (graph.get(from) ?? new Set()).add(to))
    }
  }
  return graph
}

function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (node: string) => {
    if (path.includes(node)) cycles.push([...path.slice(path.indexOf(node)), node])
    else if (!done.has(node)) {
      path.push(node)
      for (const next of graph.get(node) ?? []) visit(next)
      path.pop()
      done.add(node)
    }
  }
  for (const node of graph.keys()) visit(node)
  return cycles
}

const shown = (root: string, path: readonly string[]) => path.map((node) => relative(root, node)).join(' → ')
