import { signalNumber } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'

/** What `tasks kill` may be told. */
export interface KillFlags {
  readonly signal?: string
  readonly execId?: string
  readonly all?: boolean
  readonly pid?: number
}

/** The label with the stop signal of the image. */
const stopSignalLabel = 'io.containerd.image.config.stop-signal'

/** `tasks kill` */
export async function killTask(
  session: Session,
  flags: KillFlags,
  container: string | undefined,
): Promise<void> {
  const { client, signal } = session
  const id = requireId(container)
  const { execId, all, pid } = flags
  if ([execId, all, pid].filter((choice) => choice !== undefined).length > 1) {
    throw new NsboxError('invalid_argument', 'enter one of --exec-id, --all and --pid')
  }
  const { labels } = await client.containers.get(id, { signal })
  const name = flags.signal ?? (labels[stopSignalLabel] || 'SIGTERM')
  await client.tasks.kill(id, signalNumber(name), { execId, all, pid, signal })
}
