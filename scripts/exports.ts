// Writes to docs/exports.txt what each package exports, so that a change of it is seen:
//   node --import tsx scripts/exports.ts [--check]
// --check writes nothing, and fails unless the file says what is exported.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicSurface } from './exports/public-surface.ts'

const root = join(import.meta.dirname, '..')
const file = join(root, 'docs/exports.txt')
const text = publicSurface(root)
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.log('docs/exports.txt does not say what is exported: `npm run exports` writes it')
  process.exitCode = 1
}
