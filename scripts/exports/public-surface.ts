import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'

type Target = string | { readonly '@nsbox/source'?: string }

interface Entry {
  /** As it is imported: `@nsbox/trees/walk`. */
  readonly specifier: string
  /** The source, a path from the package's directory; a pattern where the specifier is one. */
  readonly source: string
}

/**
 * What each package exports, as text: an entry a paragraph, a name a line, and with a pattern the files that it
 * reaches.
 */
export function publicSurface(root: string): string {
  const directories = readdirSync(join(root, 'packages'))
    .sort()
    .map((name) => join(root, 'packages', name))
    .filter((directory) => existsSync(join(directory, 'package.json')))
  const paragraphs = directories.flatMap((directory) =>
    entriesOf(directory).map(({ specifier, source }) => {
      const lines = source.includes('*') ? matching(directory, source) : names(join(directory, source))
      return [specifier, ...lines.map((line) => `  ${line}`)].join('\n')
    }),
  )
  return `${paragraphs.join('\n\n')}\n`
}

/** The entries with a source of their own, which `package.json` has not. */
function entriesOf(directory: string): Entry[] {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    name: string
    exports?: Record<string, Target>
  }
  return Object.entries(manifest.exports ?? {})
    .flatMap(([path, target]) => {
      const source = typeof target === 'string' ? undefined : target['@nsbox/source']
      return source === undefined ? [] : [{ specifier: join(manifest.name, path), source }]
    })
    .sort((a, b) => (a.specifier < b.specifier ? -1 : 1))
}

/** What the `*` stands for in paths that a pattern reaches. */
function matching(directory: string, pattern: string): string[] {
  const [before = '', after = ''] = pattern.split('*')
  return readdirSync(join(directory, before), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(after))
    .map((path) => path.slice(0, -after.length))
    .sort()
}

/** What a module exports, types marked as such. */
function names(path: string): string[] {
  const { module, errors } = parseSync(path, readFileSync(path, 'utf8'))
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  return module.staticExports
    .flatMap(({ entries }) => entries)
    .map(({ exportName, isType }) => {
      if (exportName.kind === 'None')
        throw new Error(`${path} has an \`export *\`; an entry lists its exports`)
      return `${isType ? 'type ' : ''}${exportName.name ?? 'default'}`
    })
    .sort()
}
