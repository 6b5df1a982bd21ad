import { type Client, createClient } from '@connectrpc/connect'
import { Task } from '@nsbox/api/gen/runtime/task/v2/shim_pb'
import type { AbortOptions } from '@nsbox/concurrency'
import { connectTtrpc } from '@nsbox/ttrpc'
import type { Bootstrap } from './bootstrap.ts'

/** A connection to a shim. */
export interface ShimConnection extends Disposable {
  readonly task: Client<typeof Task>
  /** Resolves when the connection has ended, by the shim or because it was disposed of. */
  readonly closed: Promise<void>
  readonly isClosed: boolean
}

/** Connects to a shim. Both versions of the service have the same messages. @throws as `connectTtrpc` */
export async function connectShim(
  { version, path }: Bootstrap,
  { signal }: AbortOptions = {},
): Promise<ShimConnection> {
  const connection = await connectTtrpc(path, { serviceName: `containerd.task.v${version}.Task`, signal })
  return {
    task: createClient(Task, connection.transport),
    closed: connection.closed,
    get isClosed() {
      return connection.isClosed
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}
