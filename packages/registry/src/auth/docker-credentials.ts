import { homedir } from 'node:os'
import { join } from 'node:path'
import type { CredentialSource, Credentials } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { readBoundedFile } from '../hosts/bounded-file.ts'
import { askHelper } from './credential-helper.ts'

export interface DockerCredentialsOptions {
  /** Directory of `config.json`; `$DOCKER_CONFIG` or `~/.docker` by default. */
  readonly configDir?: string | undefined
  /** Milliseconds that a credential helper may take; 30,000 by default. */
  readonly helperTimeout?: number | undefined
}

const maxConfig = 1024 * 1024
/** The key of Docker Hub in the configuration of Docker's client. */
const hubKey = 'https://index.docker.io/v1/'

/**
 * Credentials as Docker's client keeps them: in `config.json` itself, or in the credential helpers that it names. The
 * file is read anew each time. A registry's own helper counts before the general one, and both before the file.
 *
 * The source throws `invalid_argument` for a malformed file, and the errors of helpers.
 */
export function dockerCredentials(options: DockerCredentialsOptions = {}): CredentialSource {
  const { helperTimeout = 30_000 } = options
  return async ({ host }, { signal } = {}) => {
    const directory = options.configDir ?? process.env.DOCKER_CONFIG ?? join(homedir(), '.docker')
    const path = join(directory, 'config.json')
    const text = await readBoundedFile(path, maxConfig, { signal })
    if (text === undefined) return undefined
    const config = parseConfig(text, path)
    const keys = host === 'docker.io' ? [hubKey, 'docker.io', 'index.docker.io'] : [host]
    const helpers = object(config.credHelpers)
    const helper = keys.map((key) => string(helpers[key])).find(Boolean) ?? string(config.credsStore)
    if (helper) {
      const answer = await askHelper(helper, keys[0]!, { timeout: helperTimeout, signal })
      if (answer?.username === '<token>') return { kind: 'refresh', token: answer.secret }
      if (answer) return { kind: 'basic', username: answer.username, password: answer.secret }
    }
    return fromEntry(entryFor(object(config.auths), keys), path)
  }
}

type Fields = Readonly<Record<string, unknown>>

function parseConfig(text: string, path: string): Fields {
  try {
    return object(JSON.parse(text))
  } catch {
    // The parser's message quotes the text, which has secrets.
    throw new NsboxError('invalid_argument', `${path}: not JSON`)
  }
}

/** By the exact key, or by a URL of the same host, as old clients wrote them. */
function entryFor(auths: Fields, keys: readonly string[]): Fields {
  const exact = keys.find((key) => auths[key] !== undefined)
  const key = exact ?? Object.keys(auths).find((address) => keys.includes(hostOf(address)))
  return object(key === undefined ? undefined : auths[key])
}

const hostOf = (address: string) => address.replace(/^https?:\/\//, '').split('/')[0]!

function fromEntry(entry: Fields, path: string): Credentials | undefined {
  const registryToken = string(entry.registrytoken)
  if (registryToken) return { kind: 'header', authorization: `Bearer ${registryToken}` }
  const token = string(entry.identitytoken)
  if (token) return { kind: 'refresh', token }
  const auth = string(entry.auth)
  if (!auth) {
    const [username, password] = [string(entry.username), string(entry.password)]
    return username && password ? { kind: 'basic', username, password } : undefined
  }
  const decoded = Buffer.from(auth, 'base64').toString()
  const colon = decoded.indexOf(':')
  if (colon <= 0) throw new NsboxError('invalid_argument', `${path}: an "auth" is not a name and a password`)
  return {
    kind: 'basic',
    username: decoded.slice(0, colon),
    password: decoded.slice(colon + 1).replace(/\0+$/, ''),
  }
}

/** Without a prototype, so that a host called `constructor` finds nothing. */
function object(value: unknown): Fields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return Object.assign(Object.create(null), isObject ? value : {})
}

const string = (value: unknown) => (typeof value === 'string' ? value : undefined)
