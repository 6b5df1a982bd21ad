import type { LookupFunction } from 'node:net'
import { isLoopback } from './loopback.ts'
import { systemLookup } from './system-lookup.ts'

/** The error for a refused address; `networkError` gives it its code. */
export class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress'
  readonly code = 'ERR_REFUSED_ADDRESS'

  constructor(host: string, addresses: readonly string[]) {
    const at = addresses.slice(0, 4).join(', ')
    super(`${host} is at ${at}, where a server elsewhere may not send its clients`)
  }
}

/** Chooses the addresses that may be connected to from those of a host. */
export type Admit = (host: string, addresses: readonly string[]) => readonly string[]

/**
 * Looks a name up as the system does, and returns the admitted addresses. A name of this machine, whose registries need
 * no TLS, must lead to this machine.
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
