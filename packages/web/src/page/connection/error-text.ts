import { ConnectError } from '@connectrpc/connect'
import { shortened } from '../format/shortened.ts'

/** What a person reads of a failure: the server's own words, bounded. */
export function errorText(error: unknown): string {
  if (error instanceof ConnectError) return shortened(error.rawMessage || error.message, 500)
  return shortened(error instanceof Error ? error.message : String(error), 500)
}
