import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, root } from './command.mjs'

/** @type {Promise<readonly [string, ...string[]]> | undefined} */
let invocation

/**
 * Runs pnpm at the version that package.json names: the one in the search path if its major version is the same,
 * else one that npm fetches.
 *
 * @param {readonly string[]} args
 * @param {Parameters<typeof command>[2]} options
 */
export async function pnpm(args, options) {
  invocation ??= findPnpm()
  const [program, ...before] = await invocation
  return command(program, [...before, ...args], options)
}

/** @returns {Promise<readonly [string, ...string[]]>} */
async function findPnpm() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = manifest.packageManager.split('@')[1]
  const found = await command('pnpm', ['--version'], { minutes: 2, output: 'collect' })
  /** @param {string} version */
  const major = (version) => version.trim().split('.')[0]
  if (found.code === 0 && major(found.output) === major(wanted)) return ['pnpm']
  return ['npm', 'exec', '--yes', `--package=pnpm@${wanted}`, '--', 'pnpm']
}
