import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { lightPackages } from './floors.ts'
import { scope, type Workspace } from './workspace.ts'

/**
 * What installing a light package brings beyond its allow-list, and native code in it. Looks at what is
 * installed, so that a dependency's new dependency is noticed as well.
 */
export function checkLightPackages({ packages }: Workspace): string[] {
  return packages.flatMap(({ name, directory }) => {
    const allowed = lightPackages[name]
    if (allowed === undefined) return []
    return [...dependencyClosure(directory)].flatMap(([dependency, where]) => {
      if (dependency.startsWith(scope))
        return dependency.slice(scope.length) in lightPackages
          ? []
          : [`${name} is to stay light and brings ${dependency}, which is not`]
      if (!allowed.includes(dependency)) return [`${name} is to stay light and brings ${dependency}`]
      return hasNativeCode(where) ? [`${name} is to stay free of native code and brings ${dependency}`] : []
    })
  })
}

/** All that a package's installation brings: names, and directories of those that are installed here. */
function dependencyClosure(directory: string, found = new Map<string, string | undefined>()): typeof found {
  const { dependencies, optionalDependencies } = readManifest(directory)
  // An optional dependency that is for another platform is not installed here, and counts all the same.
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (found.has(name)) continue
    const where = installedAt(directory, name)
    found.set(name, where)
    if (where !== undefined) dependencyClosure(where, found)
  }
  return found
}

interface InstalledManifest {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  os?: string[]
  cpu?: string[]
  gypfile?: boolean
}

const readManifest = (directory: string) =>
  JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as InstalledManifest

function installedAt(directory: string, name: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
    if (dirname(at) === at) return undefined
  }
}

function hasNativeCode(directory: string | undefined): boolean {
  if (directory === undefined) return true
  const { os, cpu, gypfile } = readManifest(directory)
  return Boolean(os || cpu || gypfile) || existsSync(join(directory, 'binding.gyp'))
}
