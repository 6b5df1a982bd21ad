import { floors, nativeCode, sameFloor, wholeBundle } from './floors.ts'
import { scope, type Workspace } from './workspace.ts'

/** Counted from 0; -1 for a package that has no floor. */
export const floorOf = (name: string) => floors.findIndex((floor) => floor.includes(name))

/**
 * Whether a package may depend on another; both names without the scope.
 */
export const mayDependOn = (from: string, to: string) =>
  floorOf(to) !== -1 && (floorOf(to) < floorOf(from) || (sameFloor[from]?.includes(to) ?? false))

/**
 * Dependencies that run against the floors or reach for native code, and versions that are not the workspace's.
 */
export function checkManifests({ packages, others }: Workspace): string[] {
  const problems = packages.flatMap(({ name, manifest }) => {
    const shipped = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    const own = shipped.filter((each) => each.startsWith(scope)).map((each) => each.slice(scope.length))
    if (name === 'testing')
      return own.map(
        (to) => `testing depends on ${to}; every package's tests use it, so it may depend on none`,
      )
    if (floorOf(name) === -1) return [`${name} has no floor`]
    return [
      ...own
        .filter((to) => !mayDependOn(name, to))
        .map((to) => `${name} depends on ${to}, against the floors`),
      ...Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter((to) => to in nativeCode && ![nativeCode[to], wholeBundle].includes(name))
        .map((to) => `${name} depends on ${to}, which only ${nativeCode[to]} may use`),
    ]
  })
  for (const { name, manifest } of [...packages, ...others])
    for (const [to, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
      if (version !== (to.startsWith(scope) ? 'workspace:*' : 'catalog:'))
        problems.push(`${name} asks for ${to} ${version}; versions stand in the catalog`)
  return problems
}
