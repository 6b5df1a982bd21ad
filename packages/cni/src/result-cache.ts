import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, NsboxError } from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'
import type { Attachment } from './attachment.ts'
import { isObject, type JsonObject, parseObject } from './json-object.ts'
import type { NetworkList } from './network-list.ts'

/** The record of an attachment, with which another process can delete it. */
export interface CachedResult {
  readonly result: JsonObject
  /** The configuration at that time. */
  readonly text: string
  readonly capabilityArgs: JsonObject
}

/** The format of libcni. */
const kind = 'cniCacheV1'

/** Keeps results in a directory, in the format of libcni, which other programs use. */
export class ResultCache {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @throws `already_exists` if another attachment has the same file name */
  async write(list: NetworkList, attachment: Attachment, result: JsonObject): Promise<void> {
    const { containerId, ifName, capabilityArgs = {} } = attachment
    const entry = {
      kind,
      containerId,
      config: Buffer.from(list.text).toString('base64'),
      ifName,
      networkName: list.name,
      capabilityArgs,
      result,
    }
    const path = this.#path(list.name, attachment)
    makeDirectories(this.#directory, 0o700)
    const present = await readEntry(path)
    if (present && !isOf(present, list.name, attachment)) {
      throw new NsboxError('already_exists', `result ${path} of another connection`)
    }
    const unfinished = `${path}.${process.pid}`
    try {
      await writeFile(unfinished, JSON.stringify(entry), { mode: 0o600 })
      await rename(unfinished, path)
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  }

  /** Undefined if there is none, or it cannot be read. */
  async read(network: string, connection: Connection): Promise<CachedResult | undefined> {
    const entry = await readEntry(this.#path(network, connection))
    if (entry === undefined || !isOf(entry, network, connection)) return undefined
    const { result, config, capabilityArgs = {} } = entry
    if (typeof config !== 'string' || !isObject(result) || !isObject(capabilityArgs)) return undefined
    return { result, text: Buffer.from(config, 'base64').toString(), capabilityArgs }
  }

  /** The networks that a container is connected to, each with the name of the interface. */
  async connections(containerId: string): Promise<{ network: string; ifName: string }[]> {
    const found: { network: string; ifName: string }[] = []
    for (const name of await this.#names()) {
      if (!name.includes(`-${containerId}-`)) continue
      const entry = await readEntry(join(this.#directory, name))
      if (entry?.containerId !== containerId) continue
      const { networkName, ifName } = entry
      if (typeof networkName === 'string' && typeof ifName === 'string')
        found.push({ network: networkName, ifName })
    }
    return found
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#directory)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
  }

  async remove(network: string, connection: Connection): Promise<void> {
    const path = this.#path(network, connection)
    const entry = await readEntry(path)
    if (entry && isOf(entry, network, connection)) await rm(path, { force: true })
  }

  #path(network: string, { containerId, ifName }: Connection): string {
    return join(this.#directory, `${network}-${containerId}-${ifName}`)
  }
}

type Connection = Pick<Attachment, 'containerId' | 'ifName'>

async function readEntry(path: string): Promise<JsonObject | undefined> {
  try {
    return parseObject(await readFile(path, 'utf8'), `cached result ${path}`)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Whether an entry is of this connection. File names made of several names can be ambiguous. */
function isOf(entry: JsonObject, network: string, { containerId, ifName }: Connection): boolean {
  return entry.networkName === network && entry.containerId === containerId && entry.ifName === ifName
}
