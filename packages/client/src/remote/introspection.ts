import { fromTimestamp, toSafeNumber } from '@nsbox/api'
import type { Plugin as PluginMessage } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Introspection as IntrospectionService } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Platform } from '@nsbox/oci'
import type { Timestamp } from '@nsbox/time'
import type { Rpc } from '../connection/rpc.ts'
import { receivedPlatform } from '../messages/platform-message.ts'

/** A part of a server. */
export interface Plugin {
  /** Such as `io.containerd.snapshotter.v1`. */
  readonly type: string
  /** Such as `overlayfs`. */
  readonly id: string
  /** Types of the plugins that it is built on. */
  readonly requires: readonly string[]
  readonly platforms: readonly Platform[]
  readonly exports: Readonly<Record<string, string>>
  readonly capabilities: readonly string[]
  /** Why it does not run, if it does not: a gRPC status code and a text. */
  readonly initError?: { readonly code: number; readonly message: string } | undefined
}

/** A deprecated feature that the server's configuration or its clients use. */
export interface Deprecation {
  readonly id: string
  readonly message: string
  readonly lastOccurrence?: Timestamp | undefined
}

/** Information on a server. */
export interface ServerInfo {
  readonly uuid: string
  readonly pid: number
  /** The inode of its pid namespace. */
  readonly pidNamespace: number
  readonly deprecations: readonly Deprecation[]
}

/** Tells what a server consists of. */
export class Introspection {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  /**
   * The plugins that match any of the filters (fields `type`, `id`, `platforms`, `capabilities`); all of them if
   * there is no filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  async plugins(filters: readonly string[] = [], options: AbortOptions = {}): Promise<Plugin[]> {
    const request = { filters: [...filters] }
    const { plugins } = await this.#rpc.unary(IntrospectionService.method.plugins, request, options)
    return plugins.map(receivedPlugin)
  }

  async server(options: AbortOptions = {}): Promise<ServerInfo> {
    const { uuid, pid, pidns, deprecations } = await this.#rpc.unary(
      IntrospectionService.method.server,
      {},
      options,
    )
    return {
      uuid,
      pid: toSafeNumber(pid, 'pid'),
      pidNamespace: toSafeNumber(pidns, 'pidns'),
      deprecations: deprecations.map(({ id, message, lastOccurrence }) => ({
        id,
        message,
        lastOccurrence: fromTimestamp(lastOccurrence, 'last_occurrence'),
      })),
    }
  }
}

function receivedPlugin(plugin: PluginMessage): Plugin {
  const { type, id, requires, platforms, exports, capabilities, initErr } = plugin
  return {
    type,
    id,
    requires,
    platforms: platforms.map(receivedPlatform),
    exports,
    capabilities,
    ...(initErr && { initError: { code: initErr.code, message: initErr.message } }),
  }
}
