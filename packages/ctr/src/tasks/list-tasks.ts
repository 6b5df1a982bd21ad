import { type ListOptions, printList } from '../print.ts'
import type { Session } from '../session.ts'
import { renderTable } from '../table.ts'

/** `tasks list` */
export async function listTasks({ client, signal }: Session, options: ListOptions): Promise<void> {
  const tasks = await client.tasks.list({ signal })
  const rows = tasks.map(({ containerId, pid, status }) => [containerId, String(pid), status.toUpperCase()])
  const table = () => renderTable([['TASK', 'PID', 'STATUS', ''], ...rows], { minWidth: 4, padding: 4 })
  printList(tasks, options, ({ containerId }) => containerId, table)
}
