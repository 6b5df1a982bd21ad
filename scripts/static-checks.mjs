import { script, tool } from './steps.mjs'

/** The checks that execute nothing of the project. */
export const staticChecks = [
  tool('types', 'tsc', '--noEmit', '-p', 'tsconfig.json'),
  tool('lint and format', 'biome', 'check', '--error-on-warnings', '.'),
  script('dependencies and floors', '--import', 'tsx', 'scripts/check-deps.ts'),
  script('generated code', 'packages/api/scripts/generate.mjs', '--check'),
]
