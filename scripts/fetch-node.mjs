import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { command } from './setup/command.mjs'

/**
 * The directory of another Node's program, which npm fetches unless it is there.
 *
 * @param {string} version a major version, or more of one, such as 20.19
 */
export async function fetchNode(version) {
  // Root's own directory is closed to the other users whose programs tests start.
  const cache =
    process.geteuid?.() === 0 ? '/var/cache' : process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const directory = join(cache, 'nsbox', `node-${version}`)
  const name = `node-${process.platform}-${process.arch}`
  const bin = join(directory, 'node_modules', name, 'bin')
  if (!existsSync(join(bin, 'node'))) {
    await mkdir(directory, { recursive: true })
    const options = ['--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save']
    const fetched = await command('npm', ['install', ...options, `${name}@${version}`], {
      minutes: 10,
      output: 'collect',
      cwd: directory,
    })
    if (fetched.code !== 0) throw new Error(`Node ${version} cannot be fetched: ${fetched.output}`)
  }
  return bin
}
