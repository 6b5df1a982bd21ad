import { Events } from '@nsbox/api/gen/services/ttrpc/events/v1/events_pb'
import type { Envelope } from '@nsbox/core/events'
import { createTtrpcServer, implementService } from '@nsbox/ttrpc'
import { fromEnvelopeMessage } from '../convert/event.ts'
import { bindSocket } from './bind-socket.ts'

/** Where shims find it: beside the server's own socket, as containerd has it. */
export function ttrpcAddress(address: string): string {
  return `${address}.ttrpc`
}

/**
 * Serves the events of shims on a socket of its own, which only the server's user can open. They are published in the
 * namespace and with the time that they name.
 *
 * @param forward publishes an event. @throws `invalid_argument` for one that cannot be
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
