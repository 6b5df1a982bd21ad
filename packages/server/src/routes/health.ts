import { once } from 'node:events'
import type { ConnectRouter } from '@connectrpc/connect'
import { Health, HealthCheckResponse_ServingStatus as Status } from '@nsbox/api/gen/grpc/health/v1/health_pb'
import { NsboxError, quoted } from '@nsbox/errors'

/**
 * Reports that the server and each of its services are ready: no call is answered before.
 *
 * @param services the names of the services
 * @param stopping aborted when the server begins to stop
 */
export function healthRoutes(
  router: ConnectRouter,
  services: () => readonly string[],
  stopping: AbortSignal,
): void {
  const exists = (service: string) => service === '' || services().includes(service)
  const status = () => (stopping.aborted ? Status.NOT_SERVING : Status.SERVING)

  router.service(Health, {
    check({ service }) {
      if (!exists(service)) throw new NsboxError('not_found', `service ${quoted(service)}`)
      return { status: status() }
    },
    async *watch({ service }, { signal }) {
      yield { status: exists(service) ? status() : Status.SERVICE_UNKNOWN }
      const over = AbortSignal.any([signal, stopping])
      if (!over.aborted) await once(over, 'abort')
      if (!signal.aborted && exists(service)) yield { status: Status.NOT_SERVING }
    },
  })
}
