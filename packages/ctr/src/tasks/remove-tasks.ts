import { endTask } from '@nsbox/client'
import { networkOf } from '../network/container-network.ts'
import { complain } from '../print.ts'
import type { Session } from '../session.ts'
import { withWhereabouts } from '../whereabouts.ts'

/** `tasks delete` */
export async function removeTasks(
  session: Session,
  { force = false, execId }: { readonly force?: boolean; readonly execId?: string },
  containers: readonly string[],
): Promise<void> {
  const failures: Error[] = []
  for (const id of containers) {
    try {
      const exitStatus =
        execId === undefined ? await removeTask(session, id, force) : await removeExec(session, id, execId)
      if (exitStatus !== 0 && execId !== undefined) process.exitCode = exitStatus
      else if (exitStatus !== 0) complain(`task ${id} exit with non-zero exit code ${exitStatus}`)
    } catch (error) {
      if (session.signal.aborted) throw error
      const cause = (await withWhereabouts(session, error)) as Error
      failures.push(new Error(`failed to delete task ${id}: ${cause.message}`, { cause }))
    }
  }
  const [first, ...others] = failures
  for (const { message } of others) complain(`${message}`)
  if (first) throw first
}

async function removeTask(session: Session, id: string, force: boolean): Promise<number> {
  const { client, signal } = session
  const container = await client.containers.get(id, { signal })
  await using task = await client.container(id).task({ signal })
  const { exitStatus } = force ? await endTask(task, { signal }) : await task.delete({ signal })
  await (await networkOf(session, container))?.disconnect()
  return exitStatus
}

async function removeExec({ client, signal }: Session, id: string, execId: string): Promise<number> {
  await using task = await client.container(id).task({ signal })
  await using exec = await task.process(execId, { signal })
  return (await exec.delete({ signal })).exitStatus
}
