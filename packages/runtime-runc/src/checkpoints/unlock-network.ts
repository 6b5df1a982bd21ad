import { execFile } from 'node:child_process'
import { readlink } from 'node:fs/promises'
import { isErrno } from '@nsbox/errors'

const timeout = 10_000
const maxBuffer = 16 * 1024 * 1024

/**
 * Removes the rules with which CRIU blocks a network namespace while it dumps connections, and which it leaves if it is
 * killed. Does nothing in the namespace of this process, where CRIU blocks single connections only.
 *
 * @param pid a process in the namespace, which may have ended
 */
export async function unlockNetwork(pid: number): Promise<void> {
  const other = await networkOf(pid)
  if (other === undefined || other === (await networkOf('self'))) return
  try {
    // CRIU makes the same rules with both, as far as the host has them.
    for (const program of ['iptables', 'ip6tables']) await removeChain(pid, program)
  } catch (error) {
    if ((await networkOf(pid)) !== undefined) throw error
  }
}

/** Undefined if the process has ended. */
async function networkOf(pid: number | 'self'): Promise<string | undefined> {
  try {
    return await readlink(`/proc/${pid}/ns/net`)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined
    throw error
  }
}

async function removeChain(pid: number, program: string): Promise<void> {
  const within = (command: string, args: readonly string[], input = '') =>
    output('nsenter', [`--net=/proc/${pid}/ns/net`, '--', command, ...args], input)
  const rules = await within(`${program}-save`, ['-t', 'filter'])
  const undo = undoing(rules)
  if (undo !== undefined) await within(`${program}-restore`, ['--noflush', '--wait'], undo)
}

/**
 * The input for iptables-restore that removes CRIU's chain and every rule that leads to it; undefined without a chain.
 */
export function undoing(rules: string): string | undefined {
  const lines = rules.split('\n')
  if (!lines.some((line) => line.startsWith(':CRIU '))) return undefined
  const leading = lines.filter((line) => /^-A (?:INPUT|OUTPUT) -j CRIU$/.test(line))
  const deletions = leading.map((line) => line.replace('-A', '-D'))
  return ['*filter', '-F CRIU', ...deletions, '-X CRIU', 'COMMIT', ''].join('\n')
}

/** What a program printed; nothing if the host lacks it. */
function output(program: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout, maxBuffer }, (error, stdout) => {
      if (error === null) resolve(stdout)
      // nsenter exits with 127 if it does not find the program.
      else if (error.code === 127 || isErrno(error, 'ENOENT')) resolve('')
      else reject(error)
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}
