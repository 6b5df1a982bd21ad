import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import { Disk } from '@nsbox/api/gen/nsbox/disk/v1/disk_pb'
import { Page } from '@nsbox/api/gen/nsbox/web/v1/web_pb'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { Transfer } from '@nsbox/api/gen/services/transfer/v1/transfer_pb'

const transport = createConnectTransport({ baseUrl: location.origin, useBinaryFormat: true })

/** The services that the page calls, on the server that it came from. */
export const disk: Client<typeof Disk> = createClient(Disk, transport)
export const containers: Client<typeof Containers> = createClient(Containers, transport)
export const content: Client<typeof Content> = createClient(Content, transport)
export const events: Client<typeof Events> = createClient(Events, transport)
export const images: Client<typeof Images> = createClient(Images, transport)
export const introspection: Client<typeof Introspection> = createClient(Introspection, transport)
export const leases: Client<typeof Leases> = createClient(Leases, transport)
export const namespaces: Client<typeof Namespaces> = createClient(Namespaces, transport)
export const pageStreams: Client<typeof Page> = createClient(Page, transport)
export const snapshots: Client<typeof Snapshots> = createClient(Snapshots, transport)
export const tasks: Client<typeof Tasks> = createClient(Tasks, transport)
export const transfer: Client<typeof Transfer> = createClient(Transfer, transport)

interface Binding {
  readonly signal?: AbortSignal | undefined
  /** Holds what the call makes. */
  readonly lease?: string | undefined
}

/** The options of a call in a namespace. */
export function within(namespace: string, { signal, lease }: Binding = {}) {
  const headers = { 'containerd-namespace': namespace, ...(lease && { 'containerd-lease': lease }) }
  return { headers, ...(signal && { signal }) }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.NotFound
}
