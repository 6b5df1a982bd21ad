import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The repository's root directory. */
export const root = join(import.meta.dirname, '../..')

/**
 * Runs a program to its end. With `output: 'inherit'` it talks to the terminal; with `'collect'` what it says is
 * returned.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ minutes: number, output?: 'inherit' | 'collect', env?: Record<string, string>, cwd?: string }} options
 *   `minutes` after which it is killed
 * @returns {Promise<{ code: number, output: string }>} exit code 1 if it was killed or could not be started
 */
export async function command(command, args, { minutes, output = 'inherit', env = {}, cwd = root }) {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: output === 'inherit' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-4_000_000)
    })
  const timer = setTimeout(() => {
    said += `\n${command} was killed after ${minutes} minutes\n`
    if (output === 'inherit') console.error(said)
    child.kill('SIGKILL')
    // A grandchild may hold the other ends open.
    child.stdout?.destroy()
    child.stderr?.destroy()
  }, minutes * 60_000)
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      said += `${command}: ${error.message}\n`
      resolve(1)
    })
    child.once('close', (status) => resolve(status ?? 1))
  })
  clearTimeout(timer)
  return { code, output: said }
}

/**
 * Whether a program is in the search path, or where Debian keeps daemons.
 *
 * @param {string} name
 */
export function hasProgram(name) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return directory !== ''
    } catch {
      return false
    }
  })
}
