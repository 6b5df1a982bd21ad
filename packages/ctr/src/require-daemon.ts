import { defaultAddress } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import type { Session } from './session.ts'

/**
 * For a container that is to outlive the command.
 * @throws `failed_precondition` if the server runs inside this process, and its containers end with it
 */
export function requireDaemon({ isEmbedded }: Pick<Session, 'isEmbedded'>): void {
  if (!isEmbedded) return
  throw new NsboxError(
    'failed_precondition',
    `no server listens at ${defaultAddress()}, and without one a container ends with this command: ` +
      'start one with nsbox-server, or leave --detach out',
  )
}
