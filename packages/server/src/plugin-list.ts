/** A part of the server, under the names by which clients of containerd look for parts (BEHAVIOUR.md §13). */
export interface Plugin {
  readonly type: string
  readonly id: string
  /** Types of the parts that it is made of. */
  readonly requires: readonly string[]
}

const content = 'io.containerd.content.v1'
const metadata = 'io.containerd.metadata.v1'
const gc = 'io.containerd.gc.v1'
const events = 'io.containerd.event.v1'
const leases = 'io.containerd.lease.v1'
const streaming = 'io.containerd.streaming.v1'
const transfer = 'io.containerd.transfer.v1'
const service = 'io.containerd.service.v1'
const grpc = 'io.containerd.grpc.v1'

/** The parts that this server has, and only those. */
export const plugins: readonly Plugin[] = [
  { type: content, id: 'content', requires: [] },
  { type: events, id: 'exchange', requires: [] },
  { type: metadata, id: 'sqlite', requires: [content, events] },
  { type: gc, id: 'scheduler', requires: [metadata] },
  { type: leases, id: 'manager', requires: [metadata] },
  { type: streaming, id: 'manager', requires: [] },
  { type: transfer, id: 'local', requires: [leases, metadata, streaming] },
  ...['content', 'images', 'leases', 'namespaces', 'introspection'].map((id) => {
    return { type: service, id: `${id}-service`, requires: [metadata] }
  }),
  ...['content', 'events', 'images', 'introspection', 'leases', 'namespaces'].map((id) => {
    return { type: grpc, id, requires: [service] }
  }),
  { type: grpc, id: 'healthcheck', requires: [] },
  { type: grpc, id: 'streaming', requires: [streaming] },
  { type: grpc, id: 'transfer', requires: [transfer] },
  { type: grpc, id: 'version', requires: [] },
]
