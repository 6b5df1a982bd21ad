import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command, root } from './setup/command.mjs'

/**
 * What git tells of files that differ from the last commit, a file a line; nothing where this is no checkout.
 *
 * @returns {Promise<string[]>}
 */
export async function changedFiles() {
  if (!existsSync(join(root, '.git'))) return []
  const args = ['status', '--porcelain', '--untracked-files=all']
  const { code, output } = await command('git', args, { minutes: 1, output: 'collect' })
  if (code !== 0) throw new Error(`git status ended with exit code ${code}: ${output}`)
  return output.split('\n').filter((line) => line !== '')
}

/**
 * A step that fails if files are changed otherwise than they were before.
 *
 * @param {readonly string[]} before what `changedFiles` told then
 * @returns {import('./steps.mjs').Step}
 */
export const cleanTree = (before) => ({
  name: 'clean tree',
  run: async () => {
    const after = await changedFiles()
    const different = [
      ...after.filter((line) => !before.includes(line)),
      ...before.filter((line) => !after.includes(line)).map((line) => `no longer ${line}`),
    ]
    return { code: different.length === 0 ? 0 : 1, output: different.join('\n') }
  },
})
