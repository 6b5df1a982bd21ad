import { Events } from '@nsbox/api/gen/services/ttrpc/events/v1/events_pb'
import type { Envelope } from '@nsbox/core/events'
import { createTtrpcServer, implementService } from '@nsbox/ttrpc'
import { fromEnvelopeMessage } from '../convert/event.ts'
import { bindSocket } from './bind-socket.ts'

/** The socket for events of shims: beside the server's own socket, as in containerd. */
export function ttrpcAddress(address: string): string {
  return `${address}.ttrpc`
}

/**
 * Serves events of shims on a socket of its own, which only the server's user can open. They are published with the
 * namespace and time that they name.
 *
 * @param forward publishes an event. @throws `invalid_argument` for an invalid one
 * @throws as `bindSocket`
 */
export async function openTtrpcSocket(
  address: string,
  forward: (envelope: Envelope) => Promise<void>,
): Promise<AsyncDisposable> {
  const events = implementService(Events, {
    async forward({ envelope }) {
      await forward(fromEnvelopeMessage(envelope))
      return {}
    },
  })
  const served = createTtrpcServer([events])
  await bindSocket(served.server, ttrpcAddress(address))
  return served
}
