import { isIP } from 'node:net'
import { buildConnector } from 'undici'
import { type Admit, checkedLookup, RefusedAddress } from './checked-lookup.ts'
import type { connectOptions } from './tls-settings.ts'

/** Connects as undici does, but only to admitted addresses: the very ones that were checked. */
export function checkedConnector(
  options: Pick<buildConnector.BuildOptions, 'timeout'> & ReturnType<typeof connectOptions>,
  admit: Admit,
): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: checkedLookup(admit) })
  return (target, callback) => {
    const { hostname } = target
    try {
      // An address needs no lookup.
      if (isIP(hostname) !== 0 && admit(hostname, [hostname]).length === 0)
        throw new RefusedAddress(hostname, [hostname])
    } catch (error) {
      callback(error as Error, null)
      return
    }
    connect(target, callback)
  }
}
