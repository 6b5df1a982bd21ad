import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AbortOptions } from '@nsbox/core/content'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { type TlsSettings, tlsSettings } from '../http/tls-settings.ts'
import { readBoundedFile } from './bounded-file.ts'
import { defaultHost, type HostDefaults } from './default-host.ts'
import { type HostEntry, parseHostsFile } from './hosts-file.ts'
import { type RegistryHost, registryHost } from './registry-host.ts'

/** Most bytes of a hosts.toml or a PEM file, and most files in a directory (docs/threat-model.md D18). */
const maxFile = 1024 * 1024
const maxFiles = 256

/**
 * The hosts that a directory describes for a registry: by its hosts.toml, or without one by `*.crt` (authorities) and
 * `*.cert` with `*.key` (client certificates) for the registry itself.
 *
 * @returns undefined if the directory does not exist
 * @throws `invalid_argument` for a malformed file, `failed_precondition` naming a file that is missing
 */
export async function readHostsDirectory(
  directory: string,
  registry: string,
  defaults: HostDefaults,
  { signal }: AbortOptions = {},
): Promise<RegistryHost[] | undefined> {
  const names = await list(directory)
  if (names === undefined) return undefined
  const file = resolve(directory, 'hosts.toml')
  const text = names.includes('hosts.toml') ? await readBoundedFile(file, maxFile, { signal }) : undefined
  const entries = text === undefined ? [certificateEntry(names, directory)] : parseHostsFile(text, file)
  const hosts: RegistryHost[] = []
  for (const entry of entries) {
    const { url, path, capabilities, headers, dialTimeout } = entry
    const options = {
      headers,
      tls: await readTls(entry, directory, { signal }),
      ...(path !== undefined && { path }),
      ...(capabilities && { capabilities }),
      ...(dialTimeout && { dialTimeout }),
    }
    hosts.push(url ? registryHost(url, registry, options) : await defaultHost(registry, defaults, options))
  }
  return hosts
}

async function list(directory: string): Promise<string[] | undefined> {
  let names: string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined
    throw fromSystemError(error, `reading ${directory}`)
  }
  if (names.length <= maxFiles) return names.sort()
  throw new NsboxError('invalid_argument', `${directory}: more than ${maxFiles} files`)
}

function certificateEntry(names: readonly string[], directory: string): HostEntry {
  const certificates = names.filter((name) => name.endsWith('.cert'))
  const client = certificates.map((cert) => ({ cert, key: cert.replace(/\.cert$/, '.key') }))
  const keyless = client.find(({ key }) => !names.includes(key))
  if (keyless)
    throw new NsboxError(
      'failed_precondition',
      `${resolve(directory, keyless.cert)}: ${keyless.key} is missing`,
    )
  return { ca: names.filter((name) => name.endsWith('.crt')), client, skipVerify: false, headers: {} }
}

async function readTls(
  { ca, client, skipVerify }: HostEntry,
  directory: string,
  options: AbortOptions,
): Promise<TlsSettings> {
  const read = async (name: string): Promise<string> => {
    const path = resolve(directory, name)
    const text = await readBoundedFile(path, maxFile, options)
    if (text === undefined) throw new NsboxError('failed_precondition', `${path} is missing`)
    return text
  }
  return tlsSettings({
    ca: await Promise.all(ca.map(read)),
    client: await Promise.all(
      client.map(async ({ cert, key }) => ({
        cert: await read(cert),
        ...(key !== undefined && { key: await read(key) }),
      })),
    ),
    skipVerify,
  })
}
