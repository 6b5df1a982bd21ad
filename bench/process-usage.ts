import { readFile } from 'node:fs/promises'

/** Of procfs: clock ticks in a second, which Linux has fixed for programs (`proc_pid_stat(5)`). */
const ticks = 100

/** Milliseconds of processor time that a process and the children that it has waited for have used so far. */
export async function cpuTime(pid: number | 'self'): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold anything; the fields after it are numbers, the state first.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number)
  return ((user! + system! + childrenUser! + childrenSystem!) * 1000) / ticks
}

/** The most memory that a process has had resident, in megabytes. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) / 1000
}
