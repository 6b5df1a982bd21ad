import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { command } from './setup/command.mjs'

/**
 * The directory of another Node's program, which npm fetches unless it is there. Several may ask at once.
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
