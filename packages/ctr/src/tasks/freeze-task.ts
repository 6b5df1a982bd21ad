import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'

type Action = (session: Session, flags: unknown, container: string | undefined) => Promise<void>

/** `tasks pause` */
export const pauseTask: Action = changeTask('pause')

/** `tasks resume` */
export const resumeTask: Action = changeTask('resume')

function changeTask(change: 'pause' | 'resume'): Action {
  return async ({ client, signal }, _flags, container) => {
    const id = requireId(container)
    await client.containers.get(id, { signal })
    await client.tasks[change](id, { signal })
  }
}
