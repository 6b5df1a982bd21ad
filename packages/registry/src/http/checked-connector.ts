import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { isLoopback } from './loopback.ts'
import { systemLookup } from './system-lookup.ts'
import type { connectOptions } from './tls-settings.ts'

/** What a connection is refused with before it is made; `networkError` gives it its code. */
class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress'
  readonly code = 'ERR_REFUSED_ADDRESS'

  constructor(host: string, addresses: readonly string[]) {
    const at = addresses.slice(0, 4).join(', ')
    super(`${host} is at ${at}, where a server elsewhere may not send its clients`)
  }
}

/** Takes the addresses that may be connected to from those that a host has. */
export type Admit = (host: string, addresses: readonly string[]) => readonly string[]

/**
 * Connects as undici does, to addresses that are admitted. They are looked at as they come from the resolver, and the very
 * ones are connected to.
 */
export function checkedConnector(
  options: Pick<buildConnector.BuildOptions, 'timeout'> & ReturnType<typeof connectOptions>,
  admit: Admit,
): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: checkedLookup(admit) })
  return (target, callback) => {
    const { hostname } = target
    try {
      // An address is not looked up.
      if (isIP(hostname) !== 0 && admit(hostname, [hostname]).length === 0)
        throw new RefusedAddress(hostname, [hostname])
    } catch (error) {
      callback(error as Error, null)
      return
    }
    connect(target, callback)
  }
}

/**
 * Looks a name up as the system does, and passes the admitted addresses on. Names of this machine itself, of which less is
 * asked than of others, lead to no other.
 */
export function checkedLookup(admit: Admit = (_, addresses) => addresses): LookupFunction {
  return (host, options, callback) => {
    const isHere = isLoopback(host)
    systemLookup(host, options)
      .then((found) => {
        const addresses = found.map(({ address }) => address)
        const admitted = admit(host, isHere ? addresses.filter(isLoopback) : addresses)
        const [first, ...others] = found.filter(({ address }) => admitted.includes(address))
        if (first === undefined) throw new RefusedAddress(host, addresses)
        return [first, ...others] as const
      })
      .then(
        ([first, ...others]) =>
          options.all ? callback(null, [first, ...others]) : callback(null, first.address, first.family),
        (error: NodeJS.ErrnoException) => callback(error, []),
      )
  }
}
