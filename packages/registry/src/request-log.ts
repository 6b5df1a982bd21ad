import type { RequestLog } from '@nsbox/core/transfer'
import type { ConnectionListeners } from './http/connections.ts'
import { traceLine } from './http/trace-line.ts'

/** The listeners of a registry that tell what a log of requests asks for. */
export function logListeners(log: RequestLog | undefined): ConnectionListeners {
  if (log === undefined) return {}
  const { dump, trace, tell } = log
  return { ...(dump && { onDump: tell }), ...(trace && { onRequest: (each) => tell(traceLine(each)) }) }
}
