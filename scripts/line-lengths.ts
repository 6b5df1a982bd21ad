// Checks that no line is too long to be read beside another file; see line-lengths/long-lines.ts.
import { join } from 'node:path'
import { longLines } from './line-lengths/long-lines.ts'

const problems = longLines(join(import.meta.dirname, '..'))
for (const problem of problems) console.log(problem)
if (problems.length > 0) process.exitCode = 1
