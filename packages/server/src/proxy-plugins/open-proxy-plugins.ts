import { NsboxError } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { ProxyPlugin } from '../configuration/proxy-plugin.ts'
import { PluginConnection } from './plugin-connection.ts'

/** The connections to proxy plugins. Disposing of it ends their calls. */
export interface OpenProxyPlugins extends AsyncDisposable {
  readonly snapshotters: readonly PluginConnection[]
}

/**
 * Makes the connections to proxy plugins. None is connected to yet: a server starts though a plugin is away.
 *
 * @throws `unimplemented` for a type that has no use here
 */
export function openProxyPlugins(plugins: readonly ProxyPlugin[]): OpenProxyPlugins {
  const stack = new AsyncDisposableStack()
  const snapshotters = plugins.map((plugin) => {
    const { name, type } = plugin
    if (type !== 'snapshot') {
      throw new NsboxError(
        'unimplemented',
        `proxy plugin ${name} of type ${type}: layers are applied from and to files of the server’s own ` +
          'content store; only plugins of type snapshot are used',
      )
    }
    return stack.use(new PluginConnection(plugin))
  })
  return { snapshotters, [Symbol.asyncDispose]: () => stack.disposeAsync() as Promise<void> }
}
