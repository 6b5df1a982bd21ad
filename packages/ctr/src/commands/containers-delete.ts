import type { TaskHandle } from '@nsbox/client'
import type { Container } from '@nsbox/core/containers'
import { isNotFound, isUnimplemented, NsboxError } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import type { Session } from '../session.ts'

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
            failures.push({ id, error })
          }
        }
        const [first, ...others] = failures
        for (const { id, error } of others)
          process.stderr.write(
            `failed to delete container ${JSON.stringify(id)}: ${(error as Error).message}\n`,
          )
        if (first !== undefined) throw first.error
      }),
    )
}

async function deleteContainer(
  { client, signal }: Session,
  id: string,
  keepSnapshot: boolean,
): Promise<void> {
  const container = await client.containers.get(id, { signal })
  await using task = await findTask(client.container(id).task({ signal }))
  if (task !== undefined) {
    const { status } = await task.status({ signal })
    // In the words of containerd's client, for which an end that has not come has the first of all times.
    if (status !== 'stopped' && status !== 'created')
      throw new Error(`cannot delete a non stopped container: {${status} 0 0001-01-01 00:00:00 +0000 UTC}`)
    await task.delete({ signal })
  }
  if (!keepSnapshot) await removeSnapshot({ client, signal }, container)
  await client.containers.delete(id, { signal })
}

/** The task, if there is one; a server without a runtime has none. */
async function findTask(search: Promise<TaskHandle>): Promise<TaskHandle | undefined> {
  try {
    return await search
  } catch (error) {
    if (isNotFound(error) || isUnimplemented(error)) return undefined
    throw error
  }
}

/** Removes the root filesystem, which may be gone already. */
async function removeSnapshot(
  { client, signal }: Pick<Session, 'client' | 'signal'>,
  { snapshotter, snapshotKey }: Container,
): Promise<void> {
  if (snapshotKey === '') return
  // No name would mean another snapshotter to the client.
  if (snapshotter === '') {
    const why = 'container.Snapshotter must be set to cleanup rootfs snapshot'
    throw new NsboxError('invalid_argument', why)
  }
  try {
    await client.snapshotter(snapshotter).remove(snapshotKey, { signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
