import type { AbortOptions, RuntimeTasks } from '@nsbox/core/tasks'
import { isNotFound, isNsboxError } from '@nsbox/errors'

/** Hosts without tasks have none, nor do malformed ids. */
const none: ReadonlySet<string> = new Set(['invalid_argument', 'permission_denied', 'unimplemented'])

/** Whether there is a task of this id. */
export async function hasTask(
  tasks: Pick<RuntimeTasks, 'get'>,
  id: string,
  options?: AbortOptions,
): Promise<boolean> {
  try {
    await tasks.get(id, options)
    return true
  } catch (error) {
    if (isNotFound(error) || (isNsboxError(error) && none.has(error.code))) return false
    throw error
  }
}
