// Sets up, runs the static checks and all tests, none of which may change a file of the checkout or leave a process or
// a cgroup, and ends with the line `N passed, N failed`:
//   node scripts/test.mjs [--long] [FILE …]
// --long runs the full counts and sizes of tests that are seeded samples otherwise. FILE is part of a test
// file's path; with it only the tests of such files run.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { changedFiles, cleanTree } from './clean-tree.mjs'
import { leftBehind, nsboxCgroups } from './left-behind.mjs'
import { command, root } from './setup/command.mjs'
import { setUp } from './setup.mjs'
import { staticChecks } from './static-checks.mjs'
import { runSteps } from './steps.mjs'
import { shortRun } from './test-node.mjs'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { long: { type: 'boolean' } } })

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} */
async function runTests() {
  const directory = await mkdtemp(join(tmpdir(), 'nsbox-'))
  try {
    const countFile = join(directory, 'count.json')
    const temporary = join(directory, 'tmp')
    await mkdir(temporary)
    // Containers with users of their own pass through.
    for (const passed of [directory, temporary]) await chmod(passed, 0o711)
    const cgroups = await nsboxCgroups()
    const { code } = await command(
      join(root, 'node_modules/.bin/vitest'),
      ['run', '--reporter=default', '--reporter=./scripts/count-reporter.ts', ...positionals],
      {
        minutes: values.long ? 170 : 40,
        env: {
          NSBOX_TEST_COUNT: countFile,
          TMPDIR: temporary,
          ...(values.long ? { NSBOX_TEST_LONG: '1' } : {}),
        },
      },
    )
    const count = JSON.parse(await readFile(countFile, 'utf8'))
    // A run without tests is a failure, and whatever else vitest failed for must not be lost in counting.
    if ((code !== 0 || count.passed === 0) && count.failed === 0) count.failed = 1
    const still = await leftBehind({ temporary, cgroups })
    if (still.length > 0) {
      console.log(`FAILED: tests left behind\n${still.join('\n')}`)
      count.failed++
    }
    // tsx keeps what it compiled for the next time.
    const left = (await readdir(temporary)).filter((name) => !name.startsWith('tsx-'))
    if (left.length > 0) {
      console.log(`FAILED: tests left behind ${left.join(', ')}`)
      count.failed++
    }
    return count
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const total = { passed: 0, failed: 0, skipped: 0 }

/** @param {readonly import('./steps.mjs').Step[]} steps */
async function check(steps) {
  const { length } = await runSteps(steps)
  total.passed += steps.length - length
  total.failed += length
}

try {
  const before = await changedFiles()
  await setUp()
  // The checks have the processor while tests wait.
  const [, tests] = await Promise.all([check(staticChecks), runTests()])
  total.passed += tests.passed
  total.failed += tests.failed
  total.skipped += tests.skipped
  if (positionals.length === 0) await check([shortRun('24')])
  await check([cleanTree(before)])
} catch (error) {
  // A step that cannot be carried out has failed, whatever it would have counted.
  console.error(error)
  total.failed++
}
const { passed, failed, skipped } = total
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0
