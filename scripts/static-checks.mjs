import { join } from 'node:path'
import { script, tool } from './steps.mjs'

/** What a tool keeps for the next time, by which it then looks only at what has changed. */
const kept = (/** @type {string} */ name) => join('node_modules/.cache', name)

const incremental = ['--incremental', '--tsBuildInfoFile', kept('types.tsbuildinfo')]

/** The checks of what is written and built, which run none of it; those that take longest come first. */
export const staticChecks = [
  // More checkers than one check again what they share, and tests have the other processor.
  tool('types', 'tsc', '--noEmit', '--checkers', '1', '-p', 'tsconfig.json', ...incremental),
  tool('types of the page', 'tsc', '-p', 'packages/web/src/page/tsconfig.json'),
  tool('nothing unused', 'knip', '--no-progress', '--cache', '--cache-location', kept('knip')),
  tool('lint and format', 'biome', 'check', '--error-on-warnings', '.'),
  script('dependencies and floors', '--import', 'tsx', 'scripts/check-deps.ts'),
  script('generated code', 'packages/api/scripts/generate.mjs', '--check'),
  script('exports', '--import', 'tsx', 'scripts/exports.ts', '--check'),
  script('lengths of lines', '--import', 'tsx', 'scripts/line-lengths.ts'),
]
