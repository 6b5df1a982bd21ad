import { readFileSync } from 'node:fs'
import { command, hasProgram } from './command.mjs'

/** The ordinary user of tests that need one; it has subordinate ids and no password. */
const testUser = 'nsbox-test'

/** Makes the user, where root sets up; elsewhere the tests that need it are skipped. */
export async function makeTestUser() {
  if (process.geteuid?.() !== 0 || !hasProgram('useradd')) return
  if (!hasEntry('/etc/passwd'))
    await must('useradd', '--system', '--no-create-home', '--shell', '/usr/sbin/nologin', testUser)
  // useradd gives a system user none.
  if (!hasEntry('/etc/subuid')) await must('usermod', '--add-subuids', ids, testUser)
  if (!hasEntry('/etc/subgid')) await must('usermod', '--add-subgids', ids, testUser)
}

/** Above those that useradd hands out by itself. */
const ids = '700000000-700065535'

/** @param {string} file */
function hasEntry(file) {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${testUser}:`))
  } catch {
    return false
  }
}

/** @param {string} program @param {string[]} args */
async function must(program, ...args) {
  const { code, output } = await command(program, args, { minutes: 1, output: 'collect' })
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output.trim()}`)
}
