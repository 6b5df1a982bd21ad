import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'

/** `tasks pause` */
export async function pauseTask({ client, signal }: Session, container: string | undefined): Promise<void> {
  const id = requireId(container)
  await client.containers.get(id, { signal })
  await client.tasks.pause(id, { signal })
}

/** `tasks resume` */
export async function resumeTask({ client, signal }: Session, container: string | undefined): Promise<void> {
  const id = requireId(container)
  await client.containers.get(id, { signal })
  await client.tasks.resume(id, { signal })
}
