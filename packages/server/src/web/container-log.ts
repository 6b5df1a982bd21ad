import type { AbortOptions } from '@nsbox/core/content'
import { type LogFile, openLogOf } from '@nsbox/supervisor/logs'
import { type NamedContainer, ownClient } from './container-query.ts'

/**
 * Opens the file that the output of a container's task goes to.
 *
 * @throws `not_found` if there is no task, or its output goes to no file; system errors
 */
export async function openContainerLog(
  address: string,
  { namespace, id }: NamedContainer,
  { signal }: AbortOptions,
): Promise<LogFile> {
  await using client = ownClient(address, namespace)
  const { stdout } = await client.tasks.get(id, { signal })
  return await openLogOf(stdout, id)
}
