import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** What a test needs to run. */
export interface Needs {
  /** The effective user is root. */
  root?: true
  /** The platform is Linux. */
  linux?: true
  /** Programs that must be found in the search path, or at their own path if it is absolute. */
  programs?: readonly string[]
  /** Users with an account. */
  users?: readonly string[]
  /** The kernel has VXLAN, which networks over several hosts are made of; only root can tell. */
  vxlan?: true
}

/**
 * What is missing for a test to run, as one line, or `undefined` if nothing is.
 *
 * With `CI=true` in the environment a missing part is an error: such a run must not pass by skipping.
 */
export function needs(wanted: Needs): string | undefined {
  const missing: string[] = []
  if (wanted.linux && process.platform !== 'linux') missing.push('Linux')
  if (wanted.root && process.geteuid?.() !== 0) missing.push('root')
  for (const program of wanted.programs ?? []) if (!findProgram(program)) missing.push(program)
  for (const user of wanted.users ?? []) if (!hasAccount(user)) missing.push(`user ${user}`)
  if (wanted.vxlan && !hasVxlan()) missing.push('VXLAN in the kernel')
  if (missing.length === 0) return undefined
  const reason = `needs ${missing.join(', ')}`
  if (process.env.CI === 'true') throw new Error(`${reason}; nothing may be skipped with CI=true`)
  return reason
}

function hasVxlan(): boolean {
  const add = ['ip', 'link', 'add', 'type', 'vxlan', 'id', '1', 'dstport', '4789']
  return spawnSync('unshare', ['--net', ...add]).status === 0
}

function hasAccount(user: string): boolean {
  return spawnSync('id', ['-u', user]).status === 0
}

function findProgram(name: string): boolean {
  // Debian keeps daemons in sbin, which an ordinary user's search path lacks.
  const searched = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const directories = isAbsolute(name) ? ['/'] : searched
  return directories.some((directory) => {
    if (directory === '') return false
    try {
      accessSync(join(directory, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
