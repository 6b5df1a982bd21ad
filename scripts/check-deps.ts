// Checks how the workspace's packages depend on each other and on others; scripts/check-deps/floors.ts has the
// floors. Prints every breach and fails if there is one.
import { join } from 'node:path'
import { checkWorkspace } from './check-deps/check-workspace.ts'

const problems = checkWorkspace(process.argv[2] ?? join(import.meta.dirname, '..'))
for (const problem of problems) console.log(problem)
if (problems.length > 0) process.exitCode = 1
