import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSourceFile, type SourceFile } from './source-file.ts'

/** The fields of a package.json that are looked at. */
export interface Manifest {
  readonly name: string
  readonly description: string
  /**
   * What can be imported of it: paths below the package, by what its users are given; `@nsbox/source` names the source.
   */
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  /** Optional ones included. */
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  /** Which of the peers are optional. */
  readonly peerDependenciesMeta: Readonly<Record<string, object>>
}

export interface Package {
  /** Without the scope for those that have it: `content`. */
  readonly name: string
  readonly directory: string
  readonly manifest: Manifest
  /** Without generated code. */
  readonly files: readonly SourceFile[]
}

export interface Workspace {
  readonly root: string
  /** Those below packages/. */
  readonly packages: readonly Package[]
  /** The root, and the tests that belong to no package. */
  readonly others: readonly Package[]
}

/** What comes before the names of this workspace's packages. */
export const scope = '@nsbox/'

/** Reads all manifests and sources of a workspace. */
export function readWorkspace(root: string): Workspace {
  const packages = readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .filter((directory) => existsSync(join(directory, 'package.json')))
    .map((directory) => readPackage(directory, 'src'))
  const others = [readPackage(root, 'scripts')]
  const tests = join(root, 'test/integration')
  if (existsSync(tests)) others.push(readPackage(tests, '.'))
  return { root, packages, others }
}

function readPackage(directory: string, sources: string): Package {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Partial<Manifest> & {
    readonly optionalDependencies?: Manifest['dependencies']
  }
  const { name = '' } = manifest
  return {
    name: name.startsWith(scope) ? name.slice(scope.length) : name,
    directory,
    manifest: {
      name,
      description: '',
      exports: {},
      devDependencies: {},
      peerDependencies: {},
      peerDependenciesMeta: {},
      ...manifest,
      dependencies: { ...manifest.dependencies, ...manifest.optionalDependencies },
    },
    files: sourceFiles(join(directory, sources)).map(readSourceFile),
  }
}

function sourceFiles(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory())
      return ['node_modules', 'gen', 'dist'].includes(entry.name) ? [] : sourceFiles(path)
    return /\.(ts|tsx|mts|mjs|js)$/.test(entry.name) ? [path] : []
  })
}
