import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { floors } from './floors.ts'
import { type Package, scope, type Workspace } from './workspace.ts'

/** The document that shows the floors, between two lines. */
export const pictureFile = 'docs/ARCHITECTURE.md'
export const begin = '<!-- Made by `pnpm draw-floors`. -->\n'
export const end = '<!-- End of what is made. -->\n'

/** Whether docs/ARCHITECTURE.md shows the packages as they are. */
export function checkFloorPicture(workspace: Workspace): string[] {
  const path = join(workspace.root, pictureFile)
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  return text === withFloorPicture(text, workspace)
    ? []
    : [`${pictureFile} shows other packages than there are; run pnpm draw-floors`]
}

/**
 * A document with the picture and table of the packages as they are. The two lines that go around them must be there.
 */
export function withFloorPicture(text: string, workspace: Workspace): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from === -1 || to === -1)
    throw new Error(`${pictureFile} has no place for the floors, between ${begin}and ${end}`)
  return `${text.slice(0, from)}${begin}\n${picture(workspace)}\n${text.slice(to)}`
}

function picture({ packages }: Workspace): string {
  const known = new Map(packages.map((each) => [each.name, each]))
  const highestFirst = floors
    .map((names, index) => ({
      floor: index + 1,
      packages: names.flatMap((name) => known.get(name) ?? []),
    }))
    .reverse()
  const subgraphs = highestFirst.map(({ floor, packages }) => {
    const nodes = packages.map(({ name }) => `    ${name}`)
    return [`  subgraph floor${floor}[${floor}]`, ...nodes, '  end'].join('\n')
  })
  const arrows = highestFirst.flatMap(({ packages }) =>
    packages.flatMap((each) => closest(each, known).map((to) => `  ${each.name} --> ${to}`)),
  )
  const rows = highestFirst.flatMap(({ floor, packages }) =>
    packages.map(({ name, manifest }) => `| ${floor} | \`${name}\` | ${manifest.description} |`),
  )
  return [
    '```mermaid',
    'graph TD',
    ...subgraphs,
    ...arrows,
    '```',
    '',
    '| floor | package | what it is |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

const usedBy = ({ manifest }: Package) =>
  Object.keys(manifest.dependencies)
    .filter((name) => name.startsWith(scope))
    .map((name) => name.slice(scope.length))

/** The packages that a package uses, without those that it reaches through another one anyway. */
function closest(from: Package, known: ReadonlyMap<string, Package>): string[] {
  const direct = usedBy(from)
  const reached = new Set<string>()
  const visit = (name: string) => {
    const found = known.get(name)
    for (const next of found === undefined ? [] : usedBy(found)) {
      if (reached.has(next)) continue
      reached.add(next)
      visit(next)
    }
  }
  for (const name of direct) visit(name)
  return direct.filter((name) => !reached.has(name)).sort()
}
