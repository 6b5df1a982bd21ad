import { readFile } from 'node:fs/promises'
import type { CredentialSource, Credentials, RequestLog } from '@nsbox/core/transfer'
import type { Command } from 'commander'
import { complainText } from './print.ts'

/** The options of every command that talks to a registry (docs/behaviour.md §9, §11). */
export interface RegistryOptions {
  readonly plainHttp?: boolean
  readonly skipVerify?: boolean
  readonly user?: string
  readonly refresh?: string
  readonly hostsDir?: string
  readonly tlscacert?: string
  readonly tlscert?: string
  readonly tlskey?: string
  readonly httpTrace?: boolean
  readonly httpDump?: boolean
}

/** Adds the options of commands that let the server talk to a registry. */
export function addServerRegistryOptions(command: Command): Command {
  return command
    .option('--plain-http', 'use plain http')
    .option('-u, --user <user[:password]>', 'user for the registry')
    .option('--refresh <token>', 'refresh token for the registry’s authorization server')
    .option('--hosts-dir <directory>', 'directory of hosts.toml files')
}

/** Adds the options of commands that talk to a registry themselves. */
export function addRegistryOptions(command: Command): Command {
  return addServerRegistryOptions(command)
    .option('-k, --skip-verify', 'do not verify the certificate of the registry')
    .option('--tlscacert <file>', 'certificate of an authority to trust')
    .option('--tlscert <file>', 'client certificate')
    .option('--tlskey <file>', 'key of the client certificate')
    .option('--http-trace', 'tell each request to a registry on standard error')
    .option(
      '--http-dump',
      'show requests to registries and answers on standard error, without secrets and blobs',
    )
}

/** What the options have told of requests to registries, on standard error. */
export function requestLog({ httpDump = false, httpTrace = false }: RegistryOptions): RequestLog | undefined {
  return httpDump || httpTrace ? { dump: httpDump, trace: httpTrace, tell: complainText } : undefined
}

/** The credentials that the options name, else those of the docker configuration. */
export function credentialSource({ user, refresh }: RegistryOptions): CredentialSource {
  const given = givenCredentials(user, refresh)
  return given === undefined ? dockerSource() : async () => given
}

/** The docker configuration's credentials, read when they are first asked for. */
function dockerSource(): CredentialSource {
  let source: CredentialSource | undefined
  return async (request, options) => {
    source ??= (await import('@nsbox/registry')).dockerCredentials()
    return await source(request, options)
  }
}

function givenCredentials(user: string | undefined, refresh: string | undefined): Credentials | undefined {
  if (refresh !== undefined) return { kind: 'refresh', token: refresh }
  if (user === undefined) return undefined
  const at = user.indexOf(':')
  if (at === -1) throw new Error('--user: the password is missing (user:password)')
  return { kind: 'basic', username: user.slice(0, at), password: user.slice(at + 1) }
}

/** What the TLS options say, with the files read. */
export async function tlsOptions({ skipVerify, tlscacert, tlscert, tlskey }: RegistryOptions) {
  return {
    ...(skipVerify ? { rejectUnauthorized: false } : {}),
    ...(tlscacert === undefined ? {} : { ca: await readFile(tlscacert, 'utf8') }),
    ...(tlscert === undefined ? {} : { cert: await readFile(tlscert, 'utf8') }),
    ...(tlskey === undefined ? {} : { key: await readFile(tlskey, 'utf8') }),
  }
}
