import { NsboxError } from '@nsbox/errors'
import { isInward, isLoopback } from './loopback.ts'

/** Hosts that one client may come to by redirects and the like. */
const maxHosts = 4096

/**
 * Where hosts are: at inward addresses (see `isInward`), or elsewhere. It is by addresses that it is decided where a server
 * may send its client: a name says nothing, since whoever has a domain lets it resolve to what they like, and to something
 * else the next time. So a host stays where it was when it was first looked up.
 */
export class HostPlaces {
  /** By name or address: the inward addresses it is at, or none if it is elsewhere. */
  readonly #inward = new Map<string, readonly string[]>()
  readonly #userIsElsewhere: boolean

  /** @param options.userIsElsewhere whether the user, too, has no business at inward addresses; not by default */
  constructor({ userIsElsewhere = false }: { readonly userIsElsewhere?: boolean | undefined } = {}) {
    this.#userIsElsewhere = userIsElsewhere
  }

  /**
   * The addresses of a host that may be connected to. Of inward ones these are
   *
   * - none, if the user has no business there
   * - all, if the user has named the host, or a server on this machine
   * - those at which the server that has named it is itself, if that is at inward addresses of other machines
   * - none, if that server is elsewhere, or is spoken to by a proxy
   *
   * @param namedBy the host of the server that has named the host; absent if the user did
   * @throws `resource_exhausted` for too many hosts
   */
  admit(host: string, namedBy: string | undefined, addresses: readonly string[]): readonly string[] {
    const allowed = addresses.filter((address) => this.#mayLead(address, host, namedBy))
    const known = this.#inward.get(host)
    const isElsewhere = known === undefined ? !allowed.every(isInward) : known.length === 0
    const admitted = allowed.filter((address) => isInward(address) !== isElsewhere)
    if (known === undefined && admitted.length > 0) {
      if (this.#inward.size === maxHosts)
        throw new NsboxError('resource_exhausted', `${host}: servers have named more than ${maxHosts} others`)
      this.#inward.set(host, isElsewhere ? [] : admitted)
    }
    return admitted
  }

  #mayLead(address: string, host: string, namedBy: string | undefined): boolean {
    if (!isInward(address)) return true
    if (this.#userIsElsewhere) return false
    if (namedBy === undefined || namedBy === host) return true
    const sender = this.#inward.get(namedBy) ?? []
    return sender.length > 0 && (sender.every(isLoopback) || sender.includes(address))
  }
}
