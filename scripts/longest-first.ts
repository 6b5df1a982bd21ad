import { readFileSync } from 'node:fs'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Begins with the files that take longest, so that at the end no worker has to go on alone for long. Files of a process
 * of their own come before all others: between them they would end a process that is shared.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.sort((one, other) => rank(one) - rank(other))
  }
}

/**
 * Files that take a minute or more and do not look like it: where no earlier run has left the times of files, those of
 * the same kind come by their sizes.
 */
const longest = [
  '/test/integration/command-matrix.root.test.ts',
  '/scripts/consumers/consumers.test.ts',
  '/test/integration/tasks-suite.root.test.ts',
  '/test/integration/swarm.root.test.ts',
]

function rank({ moduleId, project }: TestSpecification): number {
  if (project.config.isolate) return 0
  if (longest.some((file) => moduleId.endsWith(file))) return 1
  if (moduleId.includes('/test/integration/')) return 2
  return moduleId.endsWith('.root.test.ts') || runsSuite(moduleId) ? 3 : 4
}

/** Whether a file, however short, has the tests of an interface's contract in it. */
function runsSuite(file: string): boolean {
  return readFileSync(file, 'utf8').includes("from '@nsbox/compliance/")
}
