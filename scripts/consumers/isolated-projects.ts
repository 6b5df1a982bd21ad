import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { runOrThrow } from '@nsbox/testing'
import { packageDirectories } from './npm-registry.ts'

/** A package as npm has installed it, in a directory with nothing beside it but what its manifest asks for. */
export interface InstalledPackage {
  readonly name: string
  readonly directory: string
  readonly manifest: InstalledManifest
  /** By the name that it is imported by. */
  readonly dependencies: ReadonlyMap<string, InstalledPackage>
}

interface InstalledManifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly gypfile?: boolean
  readonly exports?: Readonly<Record<string, unknown>>
}

/**
 * Installs packages by npm from a registry, once, and moves each into a directory of its own, linked to those that its
 * manifest names: what a package or a project does not ask for is not found by it, as if each had been installed alone.
 *
 * @param directory an empty one
 * @param wanted names of packages
 * @returns all that has been installed, by name; of several versions, the one that `wanted` gets
 */
export async function installIsolated(
  directory: string,
  wanted: readonly string[],
  registry: string,
): Promise<ReadonlyMap<string, InstalledPackage>> {
  const project = join(directory, 'installed')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{ "private": true }')
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']
  const places = [`--registry=${registry}`, `--cache=${join(directory, 'npm-cache')}`]
  await runOrThrow('npm', ['install', ...options, ...places, ...wanted], { cwd: project, timeout: 300_000 })

  const packages = new Map<string, InstalledPackage & { dependencies: Map<string, InstalledPackage> }>()
  for (const from of await allPackages(join(project, 'node_modules'))) {
    const manifest: InstalledManifest = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'))
    const directory = join(project, '../store', String(packages.size), 'node_modules', manifest.name)
    packages.set(from, { name: manifest.name, directory, manifest, dependencies: new Map() })
  }
  for (const [from, installed] of packages) {
    const { dependencies, optionalDependencies, peerDependencies } = installed.manifest
    const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
    for (const name of names) {
      const found = packages.get(lookUp(from, name) ?? '')
      if (found !== undefined) installed.dependencies.set(name, found)
    }
  }
  // The innermost first, so that what lies within a package is out of it when it is moved.
  for (const [from, { directory }] of [...packages].sort(([one], [other]) => other.length - one.length)) {
    await mkdir(dirname(directory), { recursive: true })
    await rename(from, directory)
  }
  for (const { name, directory, dependencies } of packages.values()) {
    const modules = name.startsWith('@') ? dirname(dirname(directory)) : dirname(directory)
    await linkPackages(modules, dependencies)
  }
  const outermost = [...packages].filter(
    ([from]) => !from.slice(project.length).match(/node_modules.*node_modules/),
  )
  return new Map(outermost.map(([, installed]) => [installed.name, installed]))
}

/** Links packages into a `node_modules`. */
export async function linkPackages(
  modules: string,
  packages: ReadonlyMap<string, InstalledPackage>,
): Promise<void> {
  for (const [name, { directory }] of packages) {
    const path = join(modules, name)
    await mkdir(dirname(path), { recursive: true })
    await symlink(directory, path)
  }
}

/** All that comes with a package, itself included; peers are what a project has asked for by itself. */
export function closure(
  installed: InstalledPackage,
  found = new Set<InstalledPackage>(),
): ReadonlySet<InstalledPackage> {
  if (found.has(installed)) return found
  found.add(installed)
  for (const [name, dependency] of installed.dependencies)
    if (!(name in (installed.manifest.peerDependencies ?? {}))) closure(dependency, found)
  return found
}

/** Whether a package has code for a platform, or compiles it. */
export function hasNativeCode({ manifest, directory }: InstalledPackage): boolean {
  const { os, cpu, gypfile } = manifest
  return Boolean(os || cpu || gypfile) || existsSync(join(directory, 'binding.gyp'))
}

async function allPackages(modules: string): Promise<string[]> {
  const found: string[] = []
  for (const directory of await packageDirectories(modules))
    found.push(directory, ...(await allPackages(join(directory, 'node_modules'))))
  return found
}

/** Where Node finds a package that one in a `node_modules` imports. */
function lookUp(from: string, name: string): string | undefined {
  for (let at = from; at !== dirname(at); at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    if (basename(at) !== 'node_modules' && existsSync(candidate)) return candidate
  }
  return undefined
}
