import { NsboxError } from '@nsbox/errors'
import { isInward, isLoopback } from '../hosts/loopback.ts'

/** Most hosts that are remembered for one client. */
const maxHosts = 4096

/**
 * Whether hosts are at inward addresses (see `isInward`) or elsewhere. Addresses decide where a server may send its
 * client, not names: the owner of a domain can let it resolve to anything, and to something else the next time. So a
 * host's place is kept from its first lookup.
 */
export class HostPlaces {
  /** The inward addresses of each host; none if it is elsewhere. */
  readonly #inward = new Map<string, readonly string[]>()
  readonly #userIsElsewhere: boolean

  /** @param options.userIsElsewhere whether the user must not reach inward addresses either; false by default */
  constructor({ userIsElsewhere = false }: { readonly userIsElsewhere?: boolean | undefined } = {}) {
    this.#userIsElsewhere = userIsElsewhere
  }

  /**
   * Chooses the addresses of a host that may be connected to. Inward ones are allowed as follows:
   *
   * - none, if the user must not reach any
   * - all, if the host was named by the user or by a server on this machine
   * - the naming server's own addresses, if that server is at inward addresses of other machines
   * - none, if the naming server is elsewhere or behind a proxy
   *
   * @param namedBy the host that has named this one, as by a redirect; absent if the user did
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
