// Runs tests on another Node, which npm fetches:
//   node scripts/test-node.mjs VERSION [--all | FILE …]
// VERSION is a major version, or more of one, such as 20.19. Without --all or files it runs the tests of what differs
// between Nodes, and the built programs. Programs that tests start run on that Node as well. Where better-sqlite3 has
// been compiled for another Node than this one, Node's own SQLite serves.
import { readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { fetchNode } from './fetch-node.mjs'
import { command, root } from './setup/command.mjs'

/** What leans on Node, on its own modules or on native code, and the built programs. */
const short = [
  'packages/client/src/connection/',
  'packages/content/src/local',
  'packages/diff/src/decompress/',
  'packages/registry/src/http/',
  'packages/sqlite/src/',
  'packages/supervisor/src/',
  'packages/sys/src/',
  'packages/ttrpc/src/',
  'test/integration/first-light',
  'test/integration/start-up',
]

/**
 * Tests of what does the same on every Node: of what reads bytes, and of what becomes of processes that the same
 * supervisor launches as in the other tests of it.
 */
const alike = /\.fuzz\.test\.ts$|\/hostile-[^/]*$|\/survival\.test\.ts$/

/** The test files of the short run; vitest takes no pattern to leave some out that reaches its projects. */
function shortFiles() {
  return short.flatMap((start) => {
    const directory = dirname(`${start}x`)
    // With types, links are not followed.
    return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
      .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
      .filter((file) => file.startsWith(start) && file.endsWith('.test.ts') && !alike.test(file))
  })
}

/**
 * The short run as a step of all tests. Where that Node cannot be fetched it is left out, unless nothing may be.
 *
 * @param {string} version
 * @returns {import('./steps.mjs').Step}
 */
export function shortRun(version) {
  const run = async () => {
    try {
      await fetchNode(version)
    } catch (error) {
      if (process.env.CI === 'true') throw error
      console.log(`skipped: ${error instanceof Error ? error.message : error}`)
      return { code: 0, output: '' }
    }
    // Beside other tests: one at a time is enough. The option `--maxWorkers` does not reach projects.
    return testOnNode(version, shortFiles(), 'collect', { VITEST_MAX_WORKERS: '1' })
  }
  return { name: `short run of tests on Node ${version}`, run }
}

/**
 * @param {string} version
 * @param {readonly string[]} files parts of test files' paths, and options of vitest; all if there are none
 * @param {'inherit' | 'collect'} output
 * @param {Record<string, string>} [variables] of its environment
 */
async function testOnNode(version, files, output, variables = {}) {
  const bin = await fetchNode(version)
  const vitest = join(root, 'node_modules/vitest')
  const { bin: programs } = JSON.parse(readFileSync(join(vitest, 'package.json'), 'utf8'))
  const program = typeof programs === 'string' ? programs : programs.vitest
  return await command(join(bin, 'node'), [join(vitest, program), 'run', ...files], {
    minutes: 60,
    output,
    env: { ...variables, PATH: [bin, process.env.PATH].join(delimiter) },
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean' } } })
  const [version, ...files] = positionals
  if (version === undefined) throw new Error('usage: test-node.mjs VERSION [--all | FILE …]')
  const { code } = await testOnNode(
    version,
    values.all ? [] : files.length > 0 ? files : shortFiles(),
    'inherit',
  )
  process.exitCode = code
}
