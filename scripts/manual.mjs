// Writes the manual page of a program that has been built, as the program prints it, to where its package has it:
//   node ../../scripts/manual.mjs NAME
// Run in the package's directory.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'

const [name] = process.argv.slice(2)
if (!name) throw new Error('usage: manual.mjs NAME')
mkdirSync('dist/man', { recursive: true })
writeFileSync(`dist/man/${name}.1`, execFileSync(process.execPath, [`bin/${name}.mjs`, 'man']))
