import { isIPv4, isIPv6 } from 'node:net'

/** Whether a host name or address (of a URL or a reference, without its port) is this machine itself. */
export function isLoopback(hostname: string): boolean {
  const address = bare(hostname)
  if (address === 'localhost' || address.endsWith('.localhost')) return true
  if (isIPv4(address)) return address.startsWith('127.')
  return isIPv6(address) && (address === '::1' || /^(?:::ffff:)(?:127\.|7f[0-9a-f]{2}:)/.test(address))
}

/**
 * Whether a registry elsewhere has no business in naming this host: this machine, and the link-local addresses at
 * which clouds serve a machine's own secrets (HOSTILE C01, B08).
 */
export function isInward(hostname: string): boolean {
  const address = bare(hostname)
  if (isLoopback(address)) return true
  if (isIPv4(address)) return address.startsWith('169.254.') || address.startsWith('0.')
  return (
    isIPv6(address) && (/^fe[89ab]/.test(address) || address === '::' || /^::ffff:(?:a9fe:|0:)/.test(address))
  )
}

function bare(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
}
