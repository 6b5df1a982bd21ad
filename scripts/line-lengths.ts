// Checks that no line is too long to be read beside another file:
//   node --import tsx scripts/line-lengths.ts [--write]
// --write breaks those of comments and Markdown first. Prints the others and fails if there is one.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { longLines, textFiles } from './line-lengths/long-lines.ts'
import { wrapLines } from './line-lengths/wrap-lines.ts'

const root = join(import.meta.dirname, '..')
if (process.argv.includes('--write'))
  for (const path of textFiles(root)) {
    const text = readFileSync(path, 'utf8')
    const wrapped = wrapLines(text, path.endsWith('.md') ? 'markdown' : 'code')
    if (wrapped !== text) writeFileSync(path, wrapped)
  }
const problems = longLines(root)
for (const problem of problems) console.log(problem)
if (problems.length > 0) process.exitCode = 1
