import { join } from 'node:path'
import { command, root } from './setup/command.mjs'

/** @param {string} name @param {string[]} args */
const tool = (name, ...args) =>
  command(join(root, 'node_modules/.bin', name), args, { minutes: 5, output: 'collect' })
/** @param {string[]} args */
const node = (...args) => command(process.execPath, args, { minutes: 5, output: 'collect' })

/**
 * The checks that need no test runner. Each is `run` and passes with exit code 0.
 *
 * @type {readonly { name: string, run: () => Promise<{ code: number, output: string }> }[]}
 */
export const staticChecks = [
  { name: 'types', run: () => tool('tsc', '--noEmit', '-p', 'tsconfig.json') },
  { name: 'lint and format', run: () => tool('biome', 'check', '--error-on-warnings', '.') },
  { name: 'dependencies and floors', run: () => node('--import', 'tsx', 'scripts/check-deps.ts') },
  { name: 'generated code', run: () => node('packages/api/scripts/generate.mjs', '--check') },
]

/** Runs all checks, prints each one's outcome and what a failed one said, and counts. */
export async function runStaticChecks() {
  const count = { passed: 0, failed: 0 }
  for (const { name, run } of staticChecks) {
    const { code, output } = await run()
    console.log(`${code === 0 ? 'passed' : 'FAILED'}: ${name}`)
    if (code !== 0) console.log(output)
    count[code === 0 ? 'passed' : 'failed']++
  }
  return count
}
