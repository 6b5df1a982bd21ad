import type { Plugin, ServerResponse } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { introspection } from '../connection/calls.ts'

/** What the server is. */
export interface ServerInformation {
  readonly server: ServerResponse
  readonly plugins: readonly Plugin[]
}

export async function loadServer(signal: AbortSignal): Promise<ServerInformation> {
  const [server, { plugins }] = await Promise.all([
    introspection.server({}, { signal }),
    introspection.plugins({}, { signal }),
  ])
  return { server, plugins }
}
