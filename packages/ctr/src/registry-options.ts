import { readFile } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import type { AbortOptions } from '@nsbox/core/content'
import type { CredentialSource, Credentials, RequestLog } from '@nsbox/core/transfer'
import { NsboxError, printable } from '@nsbox/errors'
import type { Command } from 'commander'
import { askSecret } from './ask-secret.ts'
import { complainText } from './print.ts'

/** The most bytes of a password on standard input. */
const maxPasswordBytes = 64 * 1024

/** The options of every command that talks to a registry (docs/behaviour.md §9, §11). */
export interface RegistryOptions {
  readonly plainHttp?: boolean
  readonly skipVerify?: boolean
  readonly user?: string
  readonly passwordStdin?: boolean
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
    .option(
      '-u, --user <user[:password]>',
      'user for the registry; without a password it is asked for at the terminal',
    )
    .option('--password-stdin', 'read the password of --user from standard input')
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

/**
 * The credentials that the options name, else those of the docker configuration. A password that the options leave out
 * is asked for, or read from standard input, before this returns.
 *
 * @throws `invalid_argument` if there is nobody to ask, or if the options contradict each other
 */
export async function credentialSource(
  options: Pick<RegistryOptions, 'user' | 'passwordStdin' | 'refresh'>,
  { signal }: AbortOptions = {},
): Promise<CredentialSource> {
  const given = await givenCredentials(options, signal)
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

async function givenCredentials(
  { user, passwordStdin, refresh }: Pick<RegistryOptions, 'user' | 'passwordStdin' | 'refresh'>,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  const at = user?.indexOf(':') ?? -1
  if (passwordStdin && (user === undefined || at !== -1 || refresh !== undefined)) {
    throw new NsboxError('invalid_argument', '--password-stdin goes with --user and the name of a user alone')
  }
  if (refresh !== undefined) return { kind: 'refresh', token: refresh }
  if (user === undefined) return undefined
  if (at !== -1) return { kind: 'basic', username: user.slice(0, at), password: user.slice(at + 1) }
  const password = passwordStdin ? await passwordFromInput(signal) : await askPassword(user, signal)
  return { kind: 'basic', username: user, password }
}

async function askPassword(user: string, signal: AbortSignal | undefined): Promise<string> {
  if (process.stdin.isTTY) return await askSecret(`Password of ${printable(user)}: `, { signal })
  throw new NsboxError(
    'invalid_argument',
    `--user: no password of ${printable(user)}, and no terminal to ask for it at; take --password-stdin`,
  )
}

/** All that comes on standard input, without the end of its last line. */
async function passwordFromInput(signal: AbortSignal | undefined): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of addAbortSignal(signal ?? new AbortController().signal, process.stdin)) {
    chunks.push(chunk)
    bytes += chunk.byteLength
    if (bytes > maxPasswordBytes)
      throw new NsboxError('invalid_argument', `--password-stdin: more than ${maxPasswordBytes} bytes`)
  }
  const password = Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '')
  if (password === '') throw new NsboxError('invalid_argument', '--password-stdin: standard input is empty')
  return password
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
