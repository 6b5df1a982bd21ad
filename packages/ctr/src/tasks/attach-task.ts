import { runInForeground } from '../foreground/run-in-foreground.ts'
import { Terminal } from '../foreground/terminal.ts'
import type { Session } from '../session.ts'
import { requireId } from './require-id.ts'

/** `tasks attach` */
export async function attachTask(session: Session, container: string | undefined): Promise<void> {
  const { client, signal } = session
  const id = requireId(container)
  await client.containers.get(id, { signal })
  await using task = await client.container(id).task({ attach: true, signal })
  if (task.terminal) Terminal.require()
  const { exitStatus } = await runInForeground(task, { session })
  await task.delete({ signal })
  process.exitCode = exitStatus
}
