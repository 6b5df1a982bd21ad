import { dirname, join, relative } from 'node:path'
import type { Workspace } from './workspace.ts'

/** Circles of imports within a package, types included; each is told once. */
export function checkCycles({ root, packages }: Workspace): string[] {
  return packages.flatMap(({ files }) => {
    const graph = new Map(
      files.map(({ path, imports }) => [
        path,
        imports.filter((each) => each.startsWith('.')).map((each) => join(dirname(path), each)),
      ]),
    )
    return findCycles(graph).map(
      (cycle) => `imports go in a circle: ${cycle.map((path) => relative(root, path)).join(' → ')}`,
    )
  })
}

function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
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
