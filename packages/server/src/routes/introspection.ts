import { stat } from 'node:fs/promises'
import type { ConnectRouter } from '@connectrpc/connect'
import { toConnectError } from '@nsbox/api'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { yieldBetween } from '@nsbox/concurrency'
import type { TaskRuntime } from '@nsbox/core/tasks'
import { isErrno, NsboxError } from '@nsbox/errors'
import { parseListFilters } from '@nsbox/filters'
import { toPlatformMessage } from '../convert/platform.ts'
import { type Plugin, runtime, runtimePlugin } from '../plugin-list.ts'
import { runtimeExtra } from '../tasks/runtime-extra.ts'

/** What the service reports. */
export interface Introspected {
  /** Identity of the data root. */
  readonly uuid: string
  /** The plugins as they are now. */
  readonly plugins: () => readonly Plugin[]
  /** Describes the runtime of tasks. */
  readonly runtimeInfo: TaskRuntime['info']
}

/** Serves the identity of the server and the list of its plugins. */
export function introspectionRoutes(router: ConnectRouter, introspected: Introspected): void {
  const { uuid, plugins, runtimeInfo } = introspected
  router.service(Introspection, {
    async plugins({ filters }, { signal }) {
      const { match } = parseListFilters(filters)
      const found = []
      for await (const plugin of yieldBetween(plugins(), { signal }))
        if (match(adaptor(plugin))) found.push(toMessage(plugin))
      return { plugins: found }
    },
    async server() {
      return { uuid, pid: BigInt(process.pid), pidns: await pidNamespace() }
    },
    async pluginInfo({ type, id, options }, { signal }) {
      const plugin = plugins().find((candidate) => candidate.type === type && candidate.id === id)
      if (plugin === undefined) {
        throw new NsboxError('not_found', `plugin ${JSON.stringify(`${type}.${id}`.slice(0, 256))}`)
      }
      if (type === runtime && id === runtimePlugin) {
        return { plugin: toMessage(plugin), extra: await runtimeExtra(runtimeInfo, options, signal) }
      }
      if (options !== undefined) throw new NsboxError('unimplemented', `options of plugin ${type}.${id}`)
      return { plugin: toMessage(plugin) }
    },
  })
}

function adaptor({ type, id }: Plugin) {
  return {
    field([name, ...rest]: readonly string[]) {
      if (rest.length > 0) return undefined
      return name === 'type' ? type : name === 'id' ? id : undefined
    },
  }
}

function toMessage(plugin: Plugin) {
  const { type, id, requires, platforms = [], exports = {}, capabilities = [], skipped, failure } = plugin
  const message = {
    type,
    id,
    requires: [...requires],
    platforms: platforms.map(toPlatformMessage),
    exports: { ...exports },
    capabilities: [...capabilities],
  }
  if (failure !== undefined) {
    const { code, rawMessage } = toConnectError(failure)
    return { ...message, initErr: { code, message: rawMessage } }
  }
  // Clients recognise a skipped plugin by this text; code 2 is `unknown`.
  return skipped === undefined
    ? message
    : { ...message, initErr: { code: 2, message: `${skipped}: skip plugin` } }
}

/** The inode of the pid namespace of the pid; 0 on platforms without pid namespaces. */
async function pidNamespace(): Promise<bigint> {
  try {
    return (await stat('/proc/self/ns/pid', { bigint: true })).ino
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0n
    throw error
  }
}
