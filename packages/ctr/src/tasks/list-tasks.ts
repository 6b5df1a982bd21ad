import { print, printText } from '../print.ts'
import type { Session } from '../session.ts'
import { renderTable } from '../table.ts'

/** `tasks list` */
export async function listTasks(
  { client, signal }: Session,
  { quiet, json }: { readonly quiet?: boolean; readonly json?: boolean },
): Promise<void> {
  const tasks = await client.tasks.list({ signal })
  if (json) print(JSON.stringify(tasks))
  else if (quiet) for (const { containerId } of tasks) print(containerId)
  else {
    const rows = tasks.map(({ containerId, pid, status }) => [containerId, String(pid), status.toUpperCase()])
    printText(renderTable([['TASK', 'PID', 'STATUS', ''], ...rows], { minWidth: 4, padding: 4 }))
  }
}
