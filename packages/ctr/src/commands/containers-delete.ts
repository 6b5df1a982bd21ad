import { removeContainer } from '@nsbox/client'
import { isNotFound, isUnimplemented, undefinedIf } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { networkOf } from '../network/container-network.ts'
import { complain } from '../print.ts'
import type { Session } from '../session.ts'
import { withWhereabouts } from '../whereabouts.ts'

/** `containers delete <containers…>` */
export function containersDeleteCommand(): Command {
  return new Command('delete')
    .aliases(['del', 'remove', 'rm'])
    .description('delete containers that do not run, with their snapshots')
    .argument('<containers...>')
    .option('--keep-snapshot', 'leave the snapshot to whatever else holds it')
    .action(
      withSession(async (session, { keepSnapshot = false }: { keepSnapshot?: boolean }, ids: string[]) => {
        const failures: { readonly id: string; readonly error: unknown }[] = []
        for (const id of ids) {
          try {
            await deleteContainer(session, id, keepSnapshot)
          } catch (error) {
            if (session.signal.aborted) throw error
            failures.push({ id, error: await withWhereabouts(session, error) })
          }
        }
        const [first, ...others] = failures
        for (const { id, error } of others)
          complain(`failed to delete container ${JSON.stringify(id)}: ${(error as Error).message}`)
        if (first !== undefined) throw first.error
      }),
    )
}

async function deleteContainer(session: Session, id: string, keepSnapshot: boolean): Promise<void> {
  const { client, signal } = session
  const container = await client.containers.get(id, { signal })
  // A server without a runtime has no tasks.
  await using task = await undefinedIf(
    (error) => isNotFound(error) || isUnimplemented(error),
    client.container(id).task({ signal }),
  )
  if (task !== undefined) {
    const { status } = await task.status({ signal })
    // With the message of containerd's client, which prints a zero time for a process that has not ended.
    if (status !== 'stopped' && status !== 'created')
      throw new Error(`cannot delete a non stopped container: {${status} 0 0001-01-01 00:00:00 +0000 UTC}`)
    await task.delete({ signal })
    await (await networkOf(session, container))?.disconnect()
  }
  if (keepSnapshot) await client.containers.delete(id, { signal })
  else await removeContainer(client, container)
}
