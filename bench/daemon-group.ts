import { mkdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from './subjects.ts'

/**
 * A control group that a daemon and all its helpers run in, such as shims and supervisors; what runs in containers has
 * moved on to groups of its own. It needs a host with the cpuacct controller of cgroup v1.
 */
export interface DaemonGroup extends AsyncDisposable {
  /** The same command, run in the group. */
  inside(command: Command): Command
  /** Milliseconds of processor time that all of it has used, what has ended included. */
  cpuTime(): Promise<number>
  /** Proportional set size of all its processes, in kilobytes, and how many there are. */
  memory(): Promise<{ readonly pss: number; readonly processes: number }>
}

export async function daemonGroup(name: string): Promise<DaemonGroup> {
  const path = join('/sys/fs/cgroup/cpuacct', name)
  await mkdir(path)
  const pids = async () => (await readFile(join(path, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean)
  return {
    inside({ command, args, ...rest }) {
      const script = `echo $$ > ${path}/cgroup.procs && exec "$@"`
      return { command: 'sh', args: ['-c', script, 'sh', command, ...args], ...rest }
    },
    async cpuTime() {
      return Number(await readFile(join(path, 'cpuacct.usage'), 'utf8')) / 1e6
    },
    async memory() {
      let pss = 0
      const members = await pids()
      for (const pid of members) pss += await proportionalSize(pid)
      return { pss, processes: members.length }
    },
    async [Symbol.asyncDispose]() {
      // Shims and supervisors outlive their daemon.
      for (let tries = 0; tries < 100; tries++) {
        const left = await pids()
        if (left.length === 0) break
        for (const pid of left) kill(Number(pid))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await rmdir(path)
    },
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function proportionalSize(pid: string): Promise<number> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0)
  } catch (error) {
    // It has ended meanwhile.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0
    throw error
  }
}
