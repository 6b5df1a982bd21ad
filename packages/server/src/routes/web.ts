import type { ConnectRouter } from '@connectrpc/connect'
import { Page, Web } from '@nsbox/api/gen/nsbox/web/v1/web_pb'
import { offerStream } from '../streaming/offer-stream.ts'
import type { StreamRegistry } from '../streaming/stream-registry.ts'
import type { RouteParts } from './route-parts.ts'

/** Serves links to the page for browsers, and what the page lacks in the other services. */
export function webRoutes(
  router: ConnectRouter,
  { pageLink, streams }: Pick<RouteParts, 'pageLink'> & { readonly streams: StreamRegistry },
): void {
  router.service(Web, { open: () => pageLink() })
  router.service(Page, {
    listen: ({ id }, context) => offerStream(streams, { id, incoming: silent() }, context),
  })
}

/** The messages of a client that only listens. */
async function* silent(): AsyncGenerator<never> {}
