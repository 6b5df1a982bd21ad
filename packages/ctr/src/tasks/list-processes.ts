import { unpackAny } from '@nsbox/api'
import { ProcessDetailsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { ProcessInfo } from '@nsbox/core/tasks'
import { print, printText } from '../print.ts'
import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'
import { renderTable } from '../table.ts'

/** `tasks ps` */
export async function listProcesses(
  { client, signal }: Session,
  { json }: { readonly json?: boolean },
  container: string | undefined,
): Promise<void> {
  const id = requireId(container)
  // Asked for first, so that the error for a missing container names the container, not its task.
  await client.containers.get(id, { signal })
  const processes = await client.tasks.pids(id, { signal })
  if (json) {
    const shown = processes.map((each) => ({ pid: each.pid, execId: execIdOf(each) }))
    print(JSON.stringify(shown))
    return
  }
  const rows = processes.map((each) => [String(each.pid), describe(each)])
  printText(renderTable([['PID', 'INFO'], ...rows], { minWidth: 4, padding: 4 }))
}

function describe(info: ProcessInfo): string {
  const execId = execIdOf(info)
  return execId === undefined ? '-' : `exec_id:${JSON.stringify(execId)}`
}

function execIdOf({ info }: ProcessInfo): string | undefined {
  if (info === undefined) return undefined
  return unpackAny(ProcessDetailsSchema, info).execId || undefined
}
