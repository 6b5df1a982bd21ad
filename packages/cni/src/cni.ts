import type { AbortOptions } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
import { type Attachment, checkAttachment } from './attachment.ts'
import type { JsonObject } from './json-object.ts'
import { type NetworkList, type PluginConfiguration, parseNetworkList } from './network-list.ts'
import { ResultCache } from './result-cache.ts'
import { type PluginCall, runPlugin } from './run-plugin.ts'

/** Directories and time-out. */
export interface CniOptions {
  /** `CNI_PATH` by default, else `/opt/cni/bin` and `/usr/lib/cni`. */
  readonly pluginDirectories?: readonly string[] | undefined
  /** Where results are kept until a connection is deleted; `/var/lib/cni/results` by default. */
  readonly cacheDirectory?: string | undefined
  /** Milliseconds for one plugin; 60,000 by default. */
  readonly timeout?: number | undefined
}

/** The result of a connection: interfaces, addresses, routes and name servers, as the last plugin returned them. */
export interface CniResult extends JsonObject {
  readonly interfaces?: readonly { readonly name: string; readonly mac?: string; readonly sandbox?: string }[]
  readonly ips?: readonly {
    readonly address: string
    readonly gateway?: string
    readonly interface?: number
  }[]
}

/** The first version with CHECK, and with the earlier result at DEL. */
const tellsResult = [0, 4, 0] as const

/** Connects containers to networks by plugins (CNI specification 1.1, section 3). */
export class Cni {
  readonly #directories: readonly string[]
  readonly #timeout: number
  readonly #cache: ResultCache

  constructor(options: CniOptions = {}) {
    const { pluginDirectories, cacheDirectory = '/var/lib/cni/results', timeout = 60_000 } = options
    this.#directories = pluginDirectories ?? pluginDirectoriesOf(process.env)
    this.#timeout = timeout
    this.#cache = new ResultCache(cacheDirectory)
  }

  /**
   * Connects: calls the plugins one after the other, each with the result of the one before. If one fails, all are
   * asked to undo what they have done.
   *
   * @throws `not_found` for a plugin; `invalid_argument`; `unknown` with a plugin's message; `deadline_exceeded`
   */
  async add(list: NetworkList, attachment: Attachment, { signal }: AbortOptions = {}): Promise<CniResult> {
    checkAttachment(attachment)
    if (attachment.netns === undefined)
      throw new NsboxError('invalid_argument', 'no network namespace to connect')
    let result: JsonObject | undefined
    try {
      for (const plugin of list.plugins) {
        const configuration = configured(list, plugin, attachment, result)
        result = await this.#run({ ...callOf(plugin, attachment), command: 'ADD', configuration }, signal)
        if (result === undefined) throw new NsboxError('unknown', `CNI plugin ${plugin.type} ADD: no result`)
      }
      await this.#cache.write(list, attachment, result as JsonObject)
    } catch (error) {
      // Without the signal, which may have caused the failure.
      await this.#undo(list, attachment, result).catch(() => undefined)
      throw error
    }
    return result as CniResult
  }

  /**
   * Checks whether a connection is still as it was made.
   * @throws `failed_precondition` if there is none; what the plugins report as `unknown`
   */
  async check(list: NetworkList, attachment: Attachment, { signal }: AbortOptions = {}): Promise<void> {
    checkAttachment(attachment)
    const cached = await this.#cache.read(list.name, attachment)
    if (cached === undefined) {
      const context = `network ${list.name} of ${attachment.containerId}: not connected`
      throw new NsboxError('failed_precondition', context)
    }
    if (list.disableCheck || isBefore(list.cniVersion, tellsResult)) return
    for (const plugin of list.plugins) {
      const configuration = configured(list, plugin, attachment, cached.result)
      await this.#run({ ...callOf(plugin, attachment), command: 'CHECK', configuration }, signal)
    }
  }

  /**
   * Deletes a connection, with the plugins and configuration that it was made with; idempotent. The namespace need not
   * exist any more.
   * @throws as `add`; the connection is remembered then, so that it can be tried again
   */
  async delete(list: NetworkList, attachment: Attachment, { signal }: AbortOptions = {}): Promise<void> {
    checkAttachment(attachment)
    const cached = await this.#cache.read(list.name, attachment)
    const then = cached ? parseNetworkList(cached.text, `of ${attachment.containerId}`) : list
    const whole = { ...attachment, capabilityArgs: attachment.capabilityArgs ?? cached?.capabilityArgs }
    await this.#undo(then, whole, cached?.result, signal)
    await this.#cache.remove(list.name, attachment)
  }

  /**
   * Deletes all connections of a container, whichever program on this host made them; idempotent.
   *
   * @param options `netns`: path of the network namespace, if it still exists
   * @throws as `delete`, after all have been tried
   */
  async deleteAll(
    containerId: string,
    { netns, signal }: { readonly netns?: string | undefined } & AbortOptions = {},
  ): Promise<void> {
    let failure: unknown
    for (const { network, ifName } of await this.#cache.connections(containerId)) {
      const attachment = { containerId, ifName, netns }
      try {
        const cached = await this.#cache.read(network, attachment)
        if (cached) await this.delete(parseNetworkList(cached.text, network), attachment, { signal })
      } catch (error) {
        signal?.throwIfAborted()
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  async #undo(
    list: NetworkList,
    attachment: Attachment,
    result: JsonObject | undefined,
    signal?: AbortSignal | undefined,
  ): Promise<void> {
    const known = isBefore(list.cniVersion, tellsResult) ? undefined : result
    let failure: unknown
    for (const plugin of [...list.plugins].reverse()) {
      const configuration = configured(list, plugin, attachment, known)
      try {
        await this.#run({ ...callOf(plugin, attachment), command: 'DEL', configuration }, signal)
      } catch (error) {
        signal?.throwIfAborted()
        // The other plugins may still have something to release.
        failure ??= error
      }
    }
    if (failure !== undefined) throw failure
  }

  async #run(call: PluginCall, signal: AbortSignal | undefined): Promise<JsonObject | undefined> {
    return await runPlugin(call, { directories: this.#directories, timeout: this.#timeout, signal })
  }
}

/** The directories of plugins that an environment names, or those that distributions use. */
function pluginDirectoriesOf({ CNI_PATH: path }: NodeJS.ProcessEnv): string[] {
  if (path) return path.split(':').filter((directory) => directory !== '')
  return ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni']
}

function callOf({ type }: PluginConfiguration, { containerId, ifName, netns }: Attachment) {
  return { type, containerId, ifName, netns }
}

/** The configuration to pass to one plugin (CNI specification, section 3, derivation). */
function configured(
  { cniVersion, name }: NetworkList,
  plugin: PluginConfiguration,
  { capabilityArgs = {} }: Attachment,
  previous: JsonObject | undefined,
): JsonObject {
  const { capabilities, ...rest } = plugin
  const wanted = Object.entries(capabilityArgs).filter(
    ([capability]) => (capabilities as JsonObject | undefined)?.[capability] === true,
  )
  return {
    ...rest,
    cniVersion,
    name,
    ...(wanted.length > 0 && { runtimeConfig: Object.fromEntries(wanted) }),
    ...(previous && { prevResult: previous }),
  }
}

function isBefore(version: string, wanted: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  const at = wanted.findIndex((part, index) => parts[index] !== part)
  return at !== -1 && (parts[at] as number) < (wanted[at] as number)
}
