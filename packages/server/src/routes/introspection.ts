import { stat } from 'node:fs/promises'
import type { ConnectRouter } from '@connectrpc/connect'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { isErrno, NsboxError } from '@nsbox/errors'
import { parseFilters } from '@nsbox/filters'
import { type Plugin, plugins } from '../plugin-list.ts'

/** Tells what the server is and what it is made of. */
export function introspectionRoutes(router: ConnectRouter, { uuid }: { uuid: string }): void {
  router.service(Introspection, {
    plugins({ filters }) {
      const { match } = parseFilters(filters)
      return { plugins: plugins.filter((plugin) => match(adaptor(plugin))).map(toMessage) }
    },
    async server() {
      return { uuid, pid: BigInt(process.pid), pidns: await pidNamespace() }
    },
    pluginInfo({ type, id, options }) {
      const plugin = plugins.find((candidate) => candidate.type === type && candidate.id === id)
      if (plugin === undefined) {
        throw new NsboxError('not_found', `plugin ${JSON.stringify(`${type}.${id}`.slice(0, 256))}`)
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

function toMessage({ type, id, requires }: Plugin) {
  return { type, id, requires: [...requires] }
}

/** The number of the pid namespace that the pid is to be read in; 0 where there is no such thing. */
async function pidNamespace(): Promise<bigint> {
  try {
    return (await stat('/proc/self/ns/pid', { bigint: true })).ino
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0n
    throw error
  }
}
