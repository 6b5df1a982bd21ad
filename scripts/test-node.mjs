// Runs tests on another Node, which npm fetches:
//   node scripts/test-node.mjs VERSION [--all | FILE …]
// VERSION is a major version, or more of one, such as 20.19. Without --all or files it runs the tests of what differs
// between Nodes, and the built programs. Programs that tests start run on that Node as well. Where better-sqlite3 has
// been compiled for another Node than this one, Node's own SQLite serves.
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
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
 * The directory of a Node's program, fetched unless it is there. Several may ask at once.
 *
 * @param {string} version
 */
export async function fetchNode(version) {
  // Root's own directory is closed to the other users whose programs tests start.
  const cache =
    process.geteuid?.() === 0 ? '/var/cache' : process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const directory = join(cache, 'nsbox', `node-${version}`)
  const name = `node-${process.platform}-${process.arch}`
  const bin = join(directory, 'node_modules', name, 'bin')
  if (existsSync(join(bin, 'node'))) return bin
  await mkdir(dirname(directory), { recursive: true })
  const fetching = await mkdtemp(`${directory}-`)
  try {
    await chmod(fetching, 0o755)
    const options = ['--prefix', fetching, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save']
    const fetched = await command('npm', ['install', ...options, `${name}@${version}`], {
      minutes: 10,
      output: 'collect',
      cwd: fetching,
    })
    if (fetched.code !== 0) throw new Error(`Node ${version} cannot be fetched: ${fetched.output}`)
    await rename(fetching, directory).catch((error) => {
      // Somebody else was faster.
      if (!existsSync(join(bin, 'node'))) throw error
    })
  } finally {
    await rm(fetching, { recursive: true, force: true })
  }
  return bin
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
    // Beside other tests: one at a time is enough.
    return testOnNode(version, [...short, '--maxWorkers=1'], 'collect')
  }
  return { name: `short run of tests on Node ${version}`, run }
}

/**
 * @param {string} version
 * @param {readonly string[]} files parts of test files' paths, and options of vitest; all if there are none
 * @param {'inherit' | 'collect'} output
 */
async function testOnNode(version, files, output) {
  const bin = await fetchNode(version)
  const vitest = join(root, 'node_modules/vitest')
  const { bin: programs } = JSON.parse(readFileSync(join(vitest, 'package.json'), 'utf8'))
  const program = typeof programs === 'string' ? programs : programs.vitest
  return await command(join(bin, 'node'), [join(vitest, program), 'run', ...files], {
    minutes: 60,
    output,
    env: { PATH: [bin, process.env.PATH].join(delimiter) },
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean' } } })
  const [version, ...files] = positionals
  if (version === undefined) throw new Error('usage: test-node.mjs VERSION [--all | FILE …]')
  const { code } = await testOnNode(version, values.all ? [] : files.length > 0 ? files : short, 'inherit')
  process.exitCode = code
}
