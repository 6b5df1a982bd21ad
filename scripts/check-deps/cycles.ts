import { basename, dirname, join, relative, sep } from 'node:path'
import type { SourceFile } from './source-file.ts'
import type { Package, Workspace } from './workspace.ts'

/** Nodes, each with those that it depends on. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Dependencies of folders that would close a circle, each as `FROM → TO` with the reason why it stays for now.
 */
export const folderExceptions: Readonly<Record<string, string>> = {
  'packages/client/src/task → packages/client/src/checkpoint':
    'container-handle.ts has all that can be done with a container; its folder is yet to be made',
}

/** Circles of imports within a package, types included; each is told once. */
export function checkCycles({ root, packages }: Workspace): string[] {
  return packages.flatMap(({ files }) =>
    findCycles(graphOf(files, (path) => path)).map(
      (cycle) => `imports go in a circle: ${shown(root, cycle)}`,
    ),
  )
}

/**
 * Circles of folders. Folders beside each other, each with all that is below it, may not depend on each other in a circle, so
 * that each can be understood after those that it depends on. Files beside them, and an index, which is an entry to its
 * package, are of no folder; tests do not count.
 */
export function checkFolderCycles({ root, packages }: Workspace, exceptions = folderExceptions): string[] {
  const unused = new Set(Object.keys(exceptions))
  const problems = packages.flatMap((pkg) =>
    parentFolders(pkg).flatMap((parent) => {
      const sources = pkg.files.filter(({ kind, path }) => kind !== 'test' && basename(path) !== 'index.ts')
      const graph = graphOf(sources, (path) => childFolder(parent, path))
      for (const [from, targets] of graph)
        for (const to of targets) {
          const edge = shown(root, [from, to])
          if (edge in exceptions && targets.delete(to)) unused.delete(edge)
        }
      return findCycles(graph).map((cycle) => `folders go in a circle: ${shown(root, cycle)}`)
    }),
  )
  return [...problems, ...[...unused].map((edge) => `${edge} is an exception in cycles.ts and no dependency`)]
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
