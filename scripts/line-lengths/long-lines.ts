import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The most characters of a line, comments and texts included. */
export const maxLineLength = 120

/** What others have written: `gen` is generated code. */
const skipped = new Set(['node_modules', 'dist', 'gen'])

/**
 * The lines of sources, scripts and documentation that are longer, each with its place. Rows of tables in Markdown
 * cannot be broken, nor can regular expressions and other lines without a blank.
 */
export function longLines(root: string): string[] {
  return [...files(root)].flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const { length } = [...line]
        const cannotBeBroken = /^\s*\S+$/.test(line) || (path.endsWith('.md') && /^\s*\|/.test(line))
        if (length <= maxLineLength || cannotBeBroken) return []
        return [`${relative(root, path)}:${index + 1} has ${length} characters, more than ${maxLineLength}`]
      }),
  )
}

function* files(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      if (!isSkipped(path, entry)) yield* files(path)
    } else if (/\.(?:ts|mts|mjs|js|sh|md|toml)$/.test(entry.name)) yield path
  }
}

/** Not of `packages/dist`, which is a package. */
function isSkipped(path: string, { name }: Dirent): boolean {
  return name.startsWith('.') || (skipped.has(name) && !path.endsWith('packages/dist'))
}
