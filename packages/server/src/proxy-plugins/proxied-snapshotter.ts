import { shouldYield, yieldToEventLoop } from '@nsbox/concurrency'
import { ByteBudget } from '@nsbox/core/byte-budget'
import type { Labels } from '@nsbox/core/labels'
import { checkName } from '@nsbox/core/names'
import type { AbortOptions, ForeignSnapshots, Mount, SnapshotInfo, Snapshotter } from '@nsbox/core/snapshots'
import { isNsboxError, shownName } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'
import { faultOfMounts } from './checked-mounts.ts'
import type { PluginConnection } from './plugin-connection.ts'

/** How to use a snapshotter of another process. */
export interface ProxiedSnapshotterOptions {
  /** Part of the keys of this server: the identity of its data root. */
  readonly mark: string
  /** The namespaces that have something. */
  readonly namespaces: (options: AbortOptions) => Promise<readonly string[]>
}

/** Most bytes of names that are read of a plugin's list. */
const maxListed = 256 << 20

/** Keys that daemons make of a namespace, a number and a name, with or without a mark. */
const daemonsKey = /^([^/]+)\/\d+(?:-([^/]+))?\//

/**
 * A snapshotter that another process serves by the service `Snapshots`, under the plugin's name. The namespace of a key
 * goes along as header, for processes that keep namespaces apart. What it answers is checked as far as it is used.
 */
export function proxiedSnapshotter(
  connection: PluginConnection,
  { mark, namespaces }: ProxiedSnapshotterOptions,
): Snapshotter & ForeignSnapshots {
  const { name: pluginName, capabilities = [] } = connection.plugin
  const rebase = capabilities.includes('rebase')
  const inNamespace = (namespace: string) => connection.view(namespace).snapshotter(pluginName, { rebase })
  // What it has made by itself is in no namespace of ours.
  const of = (key: string) => inNamespace(daemonsKey.exec(key)?.[1] ?? 'default')

  const checkedInfo = ({ labels, ...info }: SnapshotInfo, asked?: string): SnapshotInfo => {
    try {
      checkName('name of a snapshot', info.name)
      if (info.parent !== undefined) checkName('parent of a snapshot', info.parent)
    } catch (error) {
      throw connection.nonsense(isNsboxError(error) ? error.context : String(error))
    }
    if (asked !== undefined && info.name !== asked)
      throw connection.nonsense(`told of snapshot ${shownName(info.name)}, asked for ${shownName(asked)}`)
    return { ...info, labels: withoutRoot(labels) }
  }
  const checkedMounts = (mounts: Mount[]): Mount[] => {
    const fault = faultOfMounts(mounts)
    if (fault !== undefined) throw connection.nonsense(fault)
    return mounts
  }
  const stat = (key: string, options: AbortOptions = {}) =>
    connection.call(
      'answer',
      async (signal) => checkedInfo(await of(key).stat(key, { signal }), key),
      options,
    )

  async function* listIn(
    namespace: string,
    filters: readonly string[],
    options: AbortOptions,
  ): AsyncGenerator<SnapshotInfo> {
    const names = new ByteBudget(`snapshots of proxy plugin ${pluginName}`, maxListed)
    const infos = connection.stream((signal) => inNamespace(namespace).list(filters, { signal }), options)
    for await (const info of infos) {
      names.take(Buffer.byteLength(info.name))
      yield checkedInfo(info)
      if (shouldYield()) await yieldToEventLoop()
    }
  }

  return {
    mark,
    stat,

    usage: (key, options) =>
      connection.call(
        'work',
        async (signal) => {
          const usage = await of(key).usage(key, { signal })
          if (usage.size < 0 || usage.inodes < 0) throw connection.nonsense('a negative usage')
          return usage
        },
        options,
      ),

    async *list(filters = [], options = {}) {
      for (const namespace of await namespaces(options)) {
        let isOfOthersToo = false
        for await (const info of listIn(namespace, filters, options)) {
          const [, its, itsMark] = daemonsKey.exec(info.name) ?? []
          if (itsMark !== mark) continue
          if (its !== namespace) isOfOthersToo = true
          yield info
        }
        // It does not keep namespaces apart, and has told all.
        if (isOfOthersToo) return
      }
    },

    mounts: (key, options) =>
      connection.call(
        'answer',
        async (signal) => checkedMounts(await of(key).mounts(key, { signal })),
        options,
      ),

    prepare: (key, parent, { labels, ...options } = {}) =>
      connection.call(
        'work',
        async (signal) =>
          checkedMounts(await of(key).prepare(key, parent, { labels: rooted(labels), signal })),
        options,
      ),

    view: (key, parent, { labels, ...options } = {}) =>
      connection.call(
        'work',
        async (signal) => checkedMounts(await of(key).view(key, parent, { labels: rooted(labels), signal })),
        options,
      ),

    async commit(name, key, { labels, parent, ...options } = {}) {
      const ask = (signal: AbortSignal) =>
        of(key).commit(name, key, { labels: rooted(labels), parent, signal })
      try {
        return checkedInfo(await connection.call('work', ask, options), name)
      } catch (error) {
        options.signal?.throwIfAborted()
        // It may have been committed by a call whose answer was lost: nothing else can have the name.
        const found = await stat(name, options).catch(() => undefined)
        if (found?.kind === 'committed') return found
        throw error
      }
    },

    remove: (key, options) =>
      connection.call('answer', async (signal) => await of(key).remove(key, { signal }), options),

    update: (key, change, options) =>
      connection.call(
        'answer',
        async (signal) => checkedInfo(await of(key).update(key, change, { signal }), key),
        options,
      ),

    cleanup: (options) =>
      connection.call('work', async (signal) => await inNamespace('default').cleanup({ signal }), options),

    async findTarget(chainId, parent, { namespace, signal }) {
      const [label, ref, below] = [labelKeys.snapshotRef, chainId, parent ?? ''].map((text) =>
        JSON.stringify(text),
      )
      const filter = `labels.${label}==${ref},parent==${below}`
      for await (const info of listIn(namespace, [filter], { signal })) {
        if (info.kind !== 'committed' || info.parent !== parent) continue
        if (info.labels[labelKeys.snapshotRef] !== chainId) continue
        // Those of daemons, of this one too, are of one namespace each.
        if (!daemonsKey.test(info.name)) return info.name
      }
      return undefined
    },
  }
}

/** The value of a label that this server has given. */
const root = 'proxied'

/** With a label that keeps it from being collected where the process is a daemon with a collector. */
const rooted = (labels: Labels = {}): Labels => ({ ...labels, [labelKeys.gcRoot]: root })

function withoutRoot(labels: Labels): Labels {
  if (labels[labelKeys.gcRoot] !== root) return labels
  const { [labelKeys.gcRoot]: _, ...others } = labels
  return Object.assign(Object.create(null), others)
}
