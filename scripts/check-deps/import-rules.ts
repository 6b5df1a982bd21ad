import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { bundledSources, takenIn } from './floors.ts'
import { floorOf, mayDependOn } from './manifest-rules.ts'
import type { SourceFile } from './source-file.ts'
import { type Package, scope, type Workspace } from './workspace.ts'

/**
 * Imports that leave their package, go against the floors, are not declared, or take a package's own index.
 */
export function checkImports({ root, packages, others }: Workspace): string[] {
  return [...packages, ...others].flatMap((pkg) =>
    pkg.files.flatMap((file) => {
      const problems = file.imports.map((specifier) =>
        specifier.startsWith('.')
          ? relativeProblem(pkg, file, specifier)
          : packageProblem(pkg, file, specifier),
      )
      if (file.exportsAll && isIndex(file.path))
        problems.push('has an `export *`; an index lists its exports')
      return problems.filter(Boolean).map((problem) => `${relative(root, file.path)} ${problem}`)
    }),
  )
}

const isIndex = (path: string) => /[\\/]index\.ts$/.test(path)

function relativeProblem(pkg: Package, file: SourceFile, specifier: string): string | undefined {
  // What follows a question mark asks for a second copy of the module.
  const target = join(dirname(file.path), specifier.replace(/\?.*/, ''))
  if (!target.startsWith(pkg.directory + sep)) return `imports ${specifier}, which is outside of its package`
  if (!existsSync(target)) return `imports ${specifier}, which does not exist`
  // An index may gather others; a test may look at the index that it tests.
  if (file.kind !== 'test' && isIndex(target) && !isIndex(file.path))
    return `imports ${specifier}; a file never imports an index of its own package`
  return undefined
}

function isBundled({ name, directory }: Package, { path }: SourceFile): boolean {
  const bundled = bundledSources[name]
  return bundled !== undefined && path.startsWith(join(directory, 'src', bundled) + sep)
}

function packageProblem(pkg: Package, file: SourceFile, specifier: string): string | undefined {
  const { name, manifest } = pkg
  if (isBuiltin(specifier)) return undefined
  const target = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (target === manifest.name)
    return file.kind === 'test' ? undefined : `imports ${specifier}, its own package`
  const { dependencies, devDependencies, peerDependencies, peerDependenciesMeta } = manifest
  const declared = {
    ...dependencies,
    // An optional peer is one that sources find or do without.
    ...(file.kind === 'source' ? peerDependenciesMeta : peerDependencies),
    // The scripts at the root are for development as a whole.
    ...(file.kind === 'test' || floorOf(name) === -1 || isBundled(pkg, file) ? devDependencies : {}),
  }
  const isTakenIn = takenIn[name]?.includes(specifier) && target in devDependencies
  if (!(target in declared) && !isTakenIn)
    return `imports ${specifier}, which its package.json does not declare for it`
  if (file.kind === 'test' || floorOf(name) === -1 || !target.startsWith(scope)) return undefined
  return mayDependOn(name, target.slice(scope.length))
    ? undefined
    : `imports ${specifier}, against the floors`
}
