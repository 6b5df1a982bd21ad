import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Whether a host name or address (of a URL or a reference, without its port) is this machine itself. */
export function isLoopback(hostname: string): boolean {
  const address = bare(hostname)
  if (address === 'localhost' || address.endsWith('.localhost')) return true
  return has(loopback(), address)
}

/**
 * Whether a host or address is inward: this machine, link-local addresses, and those at which clouds serve a machine's
 * secrets. A registry elsewhere must not lead its client there (docs/threat-model.md C01, B08). Private networks are
 * not inward, since registries and their storage may be there.
 */
export function isInward(hostname: string): boolean {
  return isLoopback(hostname) || has(inward(), bare(hostname))
}

/** The IPv6 form of an IPv4 address that sockets treat as the same (RFC 4291 §2.5.5.2). */
const mapped = ['::ffff:']

/**
 * Forms that routers and kernels may translate to it: compatible (RFC 4291 §2.5.5.1), translated (RFC 2765 §2.1), NAT64
 * (RFC 6052, 8215).
 */
const translated = [...mapped, '::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::']

const loopbackNetworks = ['127.0.0.0/8', '::1/128']

const loopback = onFirstUse(() => blockList(loopbackNetworks, mapped))

const inwardNetworks = [
  // "This host on this network", which the kernel treats as this machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2).
  '0.0.0.0/8',
  '::/128',
  // Link-local (RFC 3927, RFC 4291 §2.5.6); most clouds have their metadata at 169.254.169.254.
  '169.254.0.0/16',
  'fe80::/10',
  // Metadata elsewhere: Amazon, Google, Oracle; Alibaba, Azure, Oracle.
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  'fd00:c1::a9fe:a9fe/128',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
]

const inward = onFirstUse(() => blockList([...loopbackNetworks, ...inwardNetworks], translated))

/** A list takes 3 ms to make, which a program that has just started need not wait for. */
function onFirstUse(make: () => BlockList): () => BlockList {
  let list: BlockList | undefined
  return () => (list ??= make())
}

function has(list: BlockList, address: string): boolean {
  if (isIPv4(address)) return list.check(address, 'ipv4')
  return isIPv6(address) && list.check(address, 'ipv6')
}

/** @param forms prefixes of an IPv4 address in IPv6 */
function blockList(networks: readonly string[], forms: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address, length] = network.split('/') as [string, string]
    const prefix = Number(length)
    if (isIPv6(address)) {
      list.addSubnet(address, prefix, 'ipv6')
      continue
    }
    list.addSubnet(address, prefix, 'ipv4')
    for (const form of forms) list.addSubnet(`${form}${address}`, 96 + prefix, 'ipv6')
    if (forms === translated) list.addSubnet(sixToFour(address), 16 + prefix, 'ipv6')
  }
  return list
}

/** The first address of the network that an IPv4 address has in 6to4 (RFC 3056 §2). */
function sixToFour(address: string): string {
  const [a, b, c, d] = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))
  return `2002:${a}${b}:${c}${d}::`
}

/** Without brackets, the zone of an address and the dot at the end. */
function bare(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '')
    .replace(/\.$/, '')
    .toLowerCase()
}
