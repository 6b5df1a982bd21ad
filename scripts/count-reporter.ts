import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * A vitest reporter that writes `{ passed, failed, skipped }` as JSON to the file that `NSBOX_TEST_COUNT` names.
 * A file that cannot be loaded, a hook that fails and an error outside of any test each count as failed.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      count.failed += module.errors().length
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length
      for (const test of module.children.allTests()) count[test.result().state]++
    }
    // What never ran, because the run was broken off, has not passed.
    const { passed, failed, skipped, pending } = count
    writeFileSync(
      process.env.NSBOX_TEST_COUNT!,
      JSON.stringify({ passed, failed: failed + pending, skipped }),
    )
  }
}
