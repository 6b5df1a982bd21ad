import { runInForeground } from '../foreground/run-in-foreground.ts'
import { Terminal } from '../foreground/terminal.ts'
import { networkOf } from '../network/container-network.ts'
import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'

/** `tasks attach` */
export async function attachTask(
  session: Session,
  _flags: unknown,
  idGiven: string | undefined,
): Promise<void> {
  const { client, signal } = session
  const id = requireId(idGiven)
  const container = await client.containers.get(id, { signal })
  await using task = await client.container(id).task({ attach: true, signal })
  if (task.terminal) Terminal.require()
  const { exitStatus } = await runInForeground(task, { session })
  await task.delete({ signal })
  await (await networkOf(session, container))?.disconnect()
  process.exitCode = exitStatus
}
