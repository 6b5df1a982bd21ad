import { fromTimestamp, packAny, toSafeNumber, unpackAny } from '@nsbox/api'
import type { Plugin as PluginMessage } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Introspection as IntrospectionService } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { RuntimeInfoSchema, RuntimeRequestSchema } from '@nsbox/api/gen/types/introspection_pb'
import type { ContainerRuntime, OpaqueValue } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
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

/** What a server knows of a runtime. */
export interface RuntimeDescription {
  /** Such as `runc`, or as the runtime calls itself. */
  readonly name: string
  readonly version: string
  /** The commit that it was built from; empty if it does not tell. */
  readonly revision: string
  /** The options as the runtime understood them. */
  readonly options?: OpaqueValue | undefined
  /** The `features` document of the runtime specification. */
  readonly features?: OpaqueValue | undefined
  readonly annotations: Readonly<Record<string, string>>
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

  /**
   * Describes a runtime for tasks, by its name or the path of its program.
   * @throws `not_found` for a runtime that is not there; `unimplemented` from containerd before 2.0
   */
  async runtime({ name, options }: ContainerRuntime, abort: AbortOptions = {}): Promise<RuntimeDescription> {
    const request = {
      type: 'io.containerd.runtime.v2',
      id: 'task',
      options: packAny(RuntimeRequestSchema, { runtimePath: name, options }),
    }
    const { extra } = await this.#rpc.unary(IntrospectionService.method.pluginInfo, request, abort)
    if (extra === undefined) throw new NsboxError('internal', `the server does not describe runtime ${name}`)
    const { version, ...info } = unpackAny(RuntimeInfoSchema, extra)
    return {
      name: info.name,
      version: version?.version ?? '',
      revision: version?.revision ?? '',
      options: info.options,
      features: info.features,
      annotations: info.annotations,
    }
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
