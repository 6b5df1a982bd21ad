import { NsboxError, quoted } from '@nsbox/errors'
import { print, printText } from '../print.ts'
import { requireLinux } from '../require-linux.ts'
import type { Session } from '../session.ts'
import { renderTable } from '../table.ts'
import { type HostProcess, hostProcess } from './host-process.ts'

/** `top` */
export async function showTop(
  { client, isOnHost, signal }: Session,
  { json = false }: { readonly json?: boolean },
  id: string,
): Promise<void> {
  // Asked for first, so that the error for a missing container names the container, not its task.
  await client.containers.get(id, { signal })
  const pids = async () => (await client.tasks.pids(id, { signal })).map(({ pid }) => pid)
  const before = await pids()
  if (!isOnHost)
    throw new NsboxError(
      'failed_precondition',
      `processes of container ${quoted(id)} are on the host of the server; ask there, or use tasks ps`,
    )
  requireLinux('top')
  const found: HostProcess[] = []
  for (const pid of before) {
    const process = await hostProcess(pid)
    if (process !== undefined) found.push(process)
  }
  // The number of a process that ended meanwhile may be that of another one of the host by now.
  const after = new Set(await pids())
  const processes = found.filter(({ pid }) => after.has(pid))
  if (json) return print(JSON.stringify(processes))
  const rows = processes.map(({ pid, parent, uid, cpuSeconds, command }) => [
    ...[pid, parent, uid].map(String),
    ...[formatTime(cpuSeconds), command],
  ])
  printText(renderTable([['PID', 'PPID', 'UID', 'TIME', 'COMMAND'], ...rows], { minWidth: 4, padding: 2 }))
}

/** Hours, minutes and seconds, as ps(1) prints processor time. */
function formatTime(seconds: number): string {
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60]
  return parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(':')
}
