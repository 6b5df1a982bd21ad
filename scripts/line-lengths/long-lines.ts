import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The most characters of a line, comments and texts included. */
export const maxLineLength = 120

/** What is not written here: `gen` is generated code. */
const skipped = new Set(['node_modules', 'dist', 'gen'])

/** The lines of sources, scripts and documentation that are too long, each with its place. */
export function longLines(root: string): string[] {
  return [...textFiles(root)].flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        isTooLong(line) ? [`${relative(root, path)}:${index + 1}: ${line.trim()}`] : [],
      ),
  )
}

/** Rows of tables cannot be broken, nor can regular expressions, addresses and whatever else has no blank. */
export function isTooLong(line: string): boolean {
  return [...line].length > maxLineLength && !/^\s*(?:\S+$|\|)/.test(line)
}

/** The sources, scripts and documentation below a directory. */
export function* textFiles(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      // packages/dist is a package.
      const isPackage = path.endsWith('packages/dist')
      if (isPackage || !(entry.name.startsWith('.') || skipped.has(entry.name))) yield* textFiles(path)
    } else if (/\.(?:ts|mts|mjs|js|sh|md|toml)$/.test(entry.name)) yield path
  }
}
