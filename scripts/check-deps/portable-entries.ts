import { dirname, join, relative } from 'node:path'
import { lightPackages, portablePrograms } from './floors.ts'
import type { SourceFile } from './source-file.ts'
import { type Package, scope, type Workspace } from './workspace.ts'

/**
 * Entries of portable packages, and programs of theirs, with which a file is loaded that uses native code: system
 * calls of Linux, or SQLite. Each is told with one of the ways to it. What is imported dynamically is only loaded when
 * it is asked for, and does not count.
 */
export function checkPortableEntries({ root, packages }: Workspace): string[] {
  const files = new Map(packages.flatMap((pkg) => pkg.files.map((file) => [file.path, file] as const)))
  const entries = new Map(packages.flatMap((pkg) => [...entriesOf(pkg)]))
  const isPortable = ({ name }: Package) => name in lightPackages || portablePrograms.includes(name)
  return packages.filter(isPortable).flatMap((pkg) =>
    [...new Set([...entriesOf(pkg).values(), ...programsOf(pkg)])].flatMap((entry) => {
      const way = wayToNativeCode(entry, files, entries)
      if (way === undefined) return []
      const [last] = way.at(-1)!.nativeCode
      const shown = way.map(({ path }) => relative(root, path)).join(' → ')
      return [`${pkg.name} is portable, and loads ${last} by ${shown}`]
    }),
  )
}

/** Files by the names that they are imported by. */
function entriesOf({ name, directory, manifest }: Package): Map<string, string> {
  const found = new Map<string, string>()
  for (const [entry, target] of Object.entries(manifest.exports)) {
    const source = typeof target === 'string' ? undefined : target['@nsbox/source']
    if (source !== undefined) found.set(`${scope}${name}${entry.slice(1)}`, join(directory, source))
  }
  return found
}

function programsOf({ directory, files }: Package): string[] {
  const programs = join(directory, 'src/bin')
  return files
    .filter(({ kind, path }) => kind === 'source' && dirname(path) === programs)
    .map(({ path }) => path)
}

/** The shortest chain of static imports from an entry to a file that uses native code. */
function wayToNativeCode(
  entry: string,
  files: ReadonlyMap<string, SourceFile>,
  entries: ReadonlyMap<string, string>,
): readonly SourceFile[] | undefined {
  const reached = new Map<string, readonly SourceFile[]>([[entry, []]])
  // A Map gives what is added while it is walked, so the nearest files come first.
  for (const [path, before] of reached) {
    const file = files.get(path)
    if (file === undefined) continue
    const way = [...before, file]
    if (file.nativeCode.length > 0) return way
    for (const specifier of file.staticImports) {
      const target = specifier.startsWith('.')
        ? join(dirname(path), specifier.replace(/\?.*/, ''))
        : entries.get(specifier)
      if (target !== undefined && !reached.has(target)) reached.set(target, way)
    }
  }
  return undefined
}
