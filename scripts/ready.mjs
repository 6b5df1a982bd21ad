// Everything that must hold before a change is proposed: generated code, build, static checks, tests, packaging,
// nothing unused, and at the end a clean tree.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, root } from './setup/command.mjs'
import { setUp } from './setup.mjs'
import { staticChecks } from './static-checks.mjs'
import { runSteps, script, tool } from './steps.mjs'

/** The directories of the packages that are published. */
const published = readdirSync(join(root, 'packages'))
  .map((name) => join('packages', name))
  .filter((path) => !JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).private)

async function treeIsClean() {
  const { code, output } = await command('git', ['status', '--porcelain'], { minutes: 1, output: 'collect' })
  return { code: output === '' ? code : 1, output }
}

await setUp()
const failed = await runSteps([
  script('generating code', 'packages/api/scripts/generate.mjs'),
  ...staticChecks,
  tool('nothing unused', 'knip', '--no-progress'),
  ...published.map((path) => tool(`packaging of ${path}`, 'publint', 'run', path, '--strict')),
  tool('tests', 'vitest', 'run'),
  { name: 'clean tree', run: treeIsClean },
])
console.log(failed.length === 0 ? 'ready' : `not ready: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
