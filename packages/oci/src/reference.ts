import { NsboxError, quoted } from '@nsbox/errors'
import { type Digest, isDigest } from './digest.ts'

/** The parsed name of an image on a registry. */
export interface Reference {
  /** Host name or address with its port if it has one, such as `docker.io`, `127.0.0.1:5000`, `[::1]:5000`. */
  readonly host: string
  /** The path on that host, such as `library/redis`. */
  readonly repository: string
  readonly tag?: string | undefined
  readonly digest?: Digest | undefined
  /** `host/repository`. */
  readonly locator: string
  /** The part after the locator: `tag`, `@digest`, `tag@digest`, or nothing. */
  readonly object: string
}

const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*|\[[0-9a-fA-F:.]{2,45}\])(?::([0-9]{1,5}))?$/
const componentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** Most characters of a host with its port, and of a repository. */
const limits = { host: 261, repository: 255 } as const

/**
 * Reads `host/repository[:tag][@digest]`. The host is required and nothing is completed: see `normalizeReference` for
 * references that people type. The result is safe as part of a URL or a header (docs/threat-model.md C10).
 *
 * @throws `invalid_argument`
 */
export function parseReference(text: string): Reference {
  const refuse = (why: string): NsboxError =>
    new NsboxError('invalid_argument', `invalid reference ${quoted(text)}: ${why}`)
  const slash = text.indexOf('/')
  if (slash <= 0) throw refuse('it must start with a host name, as in docker.io/library/redis:latest')
  const host = text.slice(0, slash)
  if (!isHost(host)) throw refuse(`bad host ${quoted(host)}`)

  const rest = text.slice(slash + 1)
  const at = rest.indexOf('@')
  const digest = at < 0 ? undefined : rest.slice(at + 1)
  if (digest !== undefined && !isDigest(digest)) throw refuse(`bad digest ${quoted(digest)}`)
  const name = at < 0 ? rest : rest.slice(0, at)
  const colon = name.indexOf(':')
  const tag = colon < 0 ? undefined : name.slice(colon + 1)
  if (tag !== undefined && !tagPattern.test(tag)) throw refuse(`bad tag ${quoted(tag)}`)
  const repository = colon < 0 ? name : name.slice(0, colon)
  if (!isRepository(repository)) throw refuse(`bad repository ${quoted(repository)}`)

  const locator = `${host}/${repository}`
  return {
    host,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    locator,
    object: text.slice(locator.length).replace(/^:/, ''),
  }
}

/** The text of a reference, which `parseReference` reads. */
export function formatReference({
  host,
  repository,
  tag,
  digest,
}: Pick<Reference, 'host' | 'repository' | 'tag' | 'digest'>): string {
  return `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/**
 * Completes a short reference that a person has typed, as Docker's command line does: `docker.io` and `library/` if
 * nothing looks like a host, `latest` if there is neither tag nor digest.
 *
 * @throws `invalid_argument`
 */
export function normalizeReference(text: string): string {
  const slash = text.indexOf('/')
  const first = text.slice(0, Math.max(0, slash))
  const isHostLike = slash > 0 && (/[.:A-Z]/.test(first) || first === 'localhost')
  const host = !isHostLike || first === 'index.docker.io' ? 'docker.io' : first
  let path = isHostLike ? text.slice(slash + 1) : text
  if (host === 'docker.io' && !path.includes('/')) path = `library/${path}`
  const reference = parseReference(`${host}/${path}`)
  if (/^library\/[0-9a-f]{64}$/.test(reference.repository)) {
    throw new NsboxError('invalid_argument', `invalid reference ${quoted(text)}: it looks like an identifier`)
  }
  const bare = reference.tag === undefined && reference.digest === undefined
  return formatReference(bare ? { ...reference, tag: 'latest' } : reference)
}

function isHost(host: string): boolean {
  if (host.length > limits.host) return false
  const match = hostPattern.exec(host)
  if (match === null || match[1] === '0') return false
  // URL also checks ports, IPv6 and IPv4 addresses and, before Node 24, punycode; later Nodes leave a label as it is.
  if (!URL.canParse(`https://${host}`)) return false
  // URL treats a name that ends in a number as an IPv4 address, and not always as the one that it looks like: `127.1`,
  // `010.0.0.1`.
  const { hostname } = new URL(`https://${host}`)
  return !/^[0-9.]+$/.test(hostname) || hostname === host.replace(/:[0-9]+$/, '')
}

function isRepository(repository: string): boolean {
  return (
    repository.length <= limits.repository &&
    repository.split('/').every((component) => componentPattern.test(component))
  )
}
