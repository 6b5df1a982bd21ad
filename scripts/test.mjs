// Sets up, runs the static checks and all tests, none of which may change a file of the checkout or leave a process or
// a cgroup, and ends with the line `N passed, N failed`:
//   node scripts/test.mjs [--long] [FILE …]
// --long runs the full counts and sizes of tests that are seeded samples otherwise, and on the disk, where all else
// runs in memory if root has enough of it. FILE is part of a test file's path; with it only the tests of such files
// run.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
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

/** Bytes of memory that tests may fill with files; they need less than half of it. */
const filesInMemory = 6 * 2 ** 30

/**
 * Mounts a file system in memory: a file costs a twentieth of one on the disk there, and a sync nothing. What tests see
 * of a disk does not depend on it; the long run is on one.
 *
 * @param {string} directory
 * @returns {Promise<boolean>} whether it is one now
 */
async function mountMemory(directory) {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0 || freemem() < 2 * filesInMemory) return false
  const args = ['-t', 'tmpfs', '-o', `mode=0711,size=${filesInMemory}`, 'nsbox-tests', directory]
  const { code } = await command('mount', args, { minutes: 1, output: 'collect' })
  return code === 0
}

/** @returns {Promise<{ passed: number, failed: number, skipped: number }>} */
async function runTests() {
  const directory = await mkdtemp(join(tmpdir(), 'nsbox-'))
  const temporary = join(directory, 'tmp')
  await mkdir(temporary)
  // Containers with users of their own pass through.
  for (const passed of [directory, temporary]) await chmod(passed, 0o711)
  const isMounted = !values.long && (await mountMemory(temporary))
  try {
    const countFile = join(directory, 'count.json')
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
    if (isMounted) await command('umount', ['--lazy', temporary], { minutes: 1 })
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
  const checks = [...staticChecks, ...(positionals.length === 0 ? [shortRun('24')] : [])]
  // They have the processor while tests wait.
  const [, tests] = await Promise.all([check(checks), runTests()])
  total.passed += tests.passed
  total.failed += tests.failed
  total.skipped += tests.skipped
  await check([cleanTree(before)])
} catch (error) {
  // A step that cannot be carried out has failed, whatever it would have counted.
  console.error(error)
  total.failed++
}
const { passed, failed, skipped } = total
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0
