import dns, { type LookupAddress, promises } from 'node:dns'
import { isIPv6 } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Semaphore, SingleFlight } from '@nsbox/concurrency'
import { readBoundedFile } from '../hosts/bounded-file.ts'

/** Most concurrent lookups by the system: each occupies one of libuv's four threads until it is answered. */
const atOnce = 2

/** Milliseconds after which a lookup that still waits for a thread is done without one. */
const patience = 500

/** Most milliseconds of a lookup; a connection has to be made by then. */
const lifetime = 10_000

/** Most bytes of /etc/hosts. */
const maxHostsFile = 1024 * 1024

/** State of all lookups of the process, which share its threads. */
const threads = new Semaphore(atOnce)
const lookups = new SingleFlight<readonly LookupAddress[]>()

/**
 * The addresses of a host, as the system finds them. If the system is busy with names that no server answers for, as a
 * hostile registry can use them (docs/threat-model.md E03), /etc/hosts and a DNS server are asked directly. Such
 * lookups do not wait for each other.
 *
 * @throws the errors of `dns.lookup`
 */
export function systemLookup(host: string, options: dns.LookupOptions): Promise<readonly LookupAddress[]> {
  const key = JSON.stringify([host, options.family, options.hints])
  return lookups.run(key, () => lookup(host, options))
}

async function lookup(host: string, options: dns.LookupOptions): Promise<readonly LookupAddress[]> {
  const free = threads.tryAcquire()
  if (free !== undefined) return await bySystem(free, host, options)
  const over = new AbortController()
  const system = freeThread(over.signal).then((thread) => bySystem(thread, host, options))
  const byItself = delay(patience, undefined, { signal: over.signal }).then(() =>
    byFileOrServer(host, options),
  )
  try {
    // The system may still find it, by other means.
    return await Promise.any([system, byItself])
  } catch {
    return await system
  } finally {
    over.abort()
  }
}

/** Waits for a thread, first come, first served. */
async function freeThread(signal: AbortSignal): Promise<Disposable> {
  try {
    return await threads.acquire({ signal: AbortSignal.any([signal, AbortSignal.timeout(lifetime)]) })
  } catch {
    throw Object.assign(new Error('the system is busy with other names'), { code: 'EAI_AGAIN' })
  }
}

async function bySystem(
  thread: Disposable,
  host: string,
  options: dns.LookupOptions,
): Promise<readonly LookupAddress[]> {
  using _thread = thread
  return await new Promise((resolve, reject) =>
    dns.lookup(host, { ...options, all: true }, (error, found) => (error ? reject(error) : resolve(found))),
  )
}

async function byFileOrServer(
  host: string,
  { family }: dns.LookupOptions,
): Promise<readonly LookupAddress[]> {
  const isWanted = ({ family: found }: LookupAddress) => !family || found === family
  const listed = addressesIn((await readBoundedFile('/etc/hosts', maxHostsFile)) ?? '', host).filter(isWanted)
  if (listed.length > 0) return listed
  const resolver = new promises.Resolver({ timeout: 2_000, tries: 2 })
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  const addresses = found.map(addressOf).filter(isWanted)
  if (addresses.length === 0) throw new Error(`no address of ${host}`)
  return addresses
}

const addressOf = (address: string): LookupAddress => ({ address, family: isIPv6(address) ? 6 : 4 })

/** The addresses of a name in a hosts file (hosts(5)). */
export function addressesIn(hosts: string, name: string): LookupAddress[] {
  const wanted = name.replace(/\.$/, '').toLowerCase()
  return hosts.split('\n').flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/)
    return address && names.includes(wanted) ? [addressOf(address)] : []
  })
}
