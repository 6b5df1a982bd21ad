import { X509Certificate } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as tls from 'node:tls'
import { fromSystemError, isErrno, isPermissionDenied, NsboxError, undefinedIf } from '@nsbox/errors'
import { readBoundedFile } from '../bounded-file.ts'

/** Where systems keep the certificates of authorities, of which the first file that exists is taken. */
const systemFiles = [
  // Debian, Ubuntu, Arch, Alpine, Gentoo.
  '/etc/ssl/certs/ca-certificates.crt',
  // Fedora and what follows it.
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/ssl/cert.pem', // macOS, OpenBSD, FreeBSD
  '/usr/local/share/certs/ca-root-nss.crt', // FreeBSD
] as const

/** Taken where there is none of the files. */
const systemDirectories = ['/etc/ssl/certs', '/etc/pki/tls/certs', '/usr/local/share/certs'] as const

/** The most bytes of a file, and of all files of a directory; the most names in a directory. */
const limits = { bytes: 8 << 20, names: 10_000 } as const

/** Where to look. */
export interface AuthorityPlaces {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly files?: readonly string[]
  readonly directories?: readonly string[]
}

/**
 * Certificates of authorities in PEM that this machine trusts and Node's own list does not have. `SSL_CERT_FILE` and
 * `SSL_CERT_DIR`, directories with colons between them, take the place of the system's files as they do for OpenSSL
 * (SSL_CTX_set_default_verify_paths(3)); what `NODE_EXTRA_CA_CERTS` names belongs to them. What is in a file beside
 * readable certificates is left out.
 *
 * @throws `not_found` for a variable that names what does not exist; `invalid_argument` for a file that is too large
 */
export async function readSystemAuthorities({
  env = process.env,
  files = systemFiles,
  directories = systemDirectories,
}: AuthorityPlaces = {}): Promise<readonly string[]> {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: named, NODE_EXTRA_CA_CERTS: extra } = env
  const texts: string[] = []
  // Node itself warns of one that is missing.
  if (extra) texts.push((await read(extra)) ?? '')
  if (file) texts.push((await read(file)) ?? missing('SSL_CERT_FILE', file))
  for (const directory of named?.split(':').filter(Boolean) ?? [])
    texts.push(...((await readDirectory(directory)) ?? missing('SSL_CERT_DIR', directory)))
  if (!file && !named) texts.push(...(await firstOf(files, directories)), ...fromKeychain())
  return unknownToNode(texts)
}

/** What Node trusts by itself, for a list of authorities that takes the place of its own. */
export function nodeAuthorities(): readonly string[] {
  return newerTls.getCACertificates?.('default') ?? tls.rootCertificates
}

/** Node 22.15 and later. */
const newerTls = tls as { readonly getCACertificates?: (type: 'default' | 'system') => string[] }

/** On macOS and Windows authorities are in no file. */
function fromKeychain(): readonly string[] {
  const hasKeychain = process.platform === 'darwin' || process.platform === 'win32'
  return hasKeychain ? (newerTls.getCACertificates?.('system') ?? []) : []
}

async function firstOf(files: readonly string[], directories: readonly string[]): Promise<readonly string[]> {
  for (const path of files) {
    const text = await unlessDenied(read(path))
    if (text !== undefined) return [text]
  }
  for (const path of directories) {
    const texts = await unlessDenied(readDirectory(path))
    if (texts !== undefined) return texts
  }
  return []
}

/** Of places that nobody has named: what a user may not read is not for this user. */
const unlessDenied = <T>(reading: Promise<T>) => undefinedIf(isPermissionDenied, reading)

const read = (path: string) => readBoundedFile(path, limits.bytes)

/** The files of a directory; undefined if there is no such directory. */
async function readDirectory(path: string): Promise<readonly string[] | undefined> {
  const names = await namesIn(path)
  if (names === undefined) return undefined
  if (names.length > limits.names)
    throw new NsboxError('invalid_argument', `${path}: more than ${limits.names} names`)
  const texts: string[] = []
  let room: number = limits.bytes
  for (const name of names) {
    const text = (await readBoundedFile(join(path, name), room)) ?? ''
    room -= text.length
    texts.push(text)
  }
  return texts
}

/** The names of the files of a directory, and of links, as `openssl rehash` makes them. */
async function namesIn(path: string): Promise<readonly string[] | undefined> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    const links = entries.filter((entry) => entry.isSymbolicLink())
    const targets = await Promise.all(links.map(({ name }) => undefinedIf(isMissing, stat(join(path, name)))))
    const files = [
      ...entries.filter((entry) => entry.isFile()),
      ...links.filter((_, n) => targets[n]?.isFile()),
    ]
    return files.map(({ name }) => name)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw fromSystemError(error, path)
  }
}

const isMissing = (error: unknown) => isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')

function missing(variable: string, path: string): never {
  throw new NsboxError('not_found', `${variable} names ${path}, which does not exist`)
}

const certificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

function unknownToNode(texts: readonly string[]): readonly string[] {
  const known = new Set(nodeAuthorities().map(bodyOf))
  const found: string[] = []
  for (const text of texts)
    for (const [pem] of text.matchAll(certificate)) {
      const body = bodyOf(pem)
      if (known.has(body)) continue
      known.add(body)
      if (isReadable(pem)) found.push(pem)
    }
  return found
}

const bodyOf = (pem: string) => pem.replace(/\s+/g, '')

function isReadable(pem: string): boolean {
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}
