import { hasLayerDirectories } from '@nsbox/core/snapshots'
import type { NsboxError } from '@nsbox/errors'
import { defaultPlatform, type Platform } from '@nsbox/oci'
import type { ProxyPlugin } from './configuration/proxy-plugin.ts'
import { restartPolicies } from './restarts/restart-order.ts'
import type { SnapshotterEntry } from './snapshotters/open-snapshotters.ts'

/** A part of the server, under containerd's name for it (docs/behaviour.md §13). */
export interface Plugin {
  readonly type: string
  readonly id: string
  /** Types of the plugins that it needs. */
  readonly requires: readonly string[]
  /** Supported platforms, if it depends on the host. */
  readonly platforms?: readonly Platform[]
  /** Values for clients, such as its directory as `root`. */
  readonly exports?: Readonly<Record<string, string>>
  /** Optional features. */
  readonly capabilities?: readonly string[]
  /** Why it is not loaded. */
  readonly skipped?: string
  /** Why it cannot be used now. */
  readonly failure?: NsboxError | undefined
}

const content = 'io.containerd.content.v1'
const metadata = 'io.containerd.metadata.v1'
const snapshotter = 'io.containerd.snapshotter.v1'
const differ = 'io.containerd.differ.v1'
export const runtime = 'io.containerd.runtime.v2'
const gc = 'io.containerd.gc.v1'
const events = 'io.containerd.event.v1'
const leases = 'io.containerd.lease.v1'
const streaming = 'io.containerd.streaming.v1'
const transfer = 'io.containerd.transfer.v1'
const mountManager = 'io.containerd.mount-manager.v1'
const sandboxStore = 'io.containerd.sandbox.store.v1'
const sandboxController = 'io.containerd.sandbox.controller.v1'
const service = 'io.containerd.service.v1'
const internal = 'io.containerd.internal.v1'
const grpc = 'io.containerd.grpc.v1'

/** The name of the runtime among the runtimes. */
export const runtimePlugin = 'task'

/** What the list is made of. */
export interface PluginListParts {
  readonly snapshotters: readonly SnapshotterEntry[]
  /** Why tasks are not supported; undefined if they are. */
  readonly runtimeRefusal?: string | undefined
}

/** The plugins of a server, with those that are skipped on this host. */
export function pluginList({ snapshotters, runtimeRefusal }: PluginListParts): Plugin[] {
  const platforms = [defaultPlatform()]
  // What needs a runtime does not work without one.
  const ofTasks = runtimeRefusal === undefined ? {} : { skipped: runtimeRefusal }
  return [
    { type: content, id: 'content', requires: [] },
    { type: events, id: 'exchange', requires: [] },
    ...snapshotters.map(snapshotterPlugin),
    { type: metadata, id: 'sqlite', requires: [content, events, snapshotter] },
    { type: gc, id: 'scheduler', requires: [metadata] },
    { type: differ, id: 'walking', requires: [metadata], platforms, ...differNeedsLinux() },
    {
      type: runtime,
      id: runtimePlugin,
      requires: [events],
      platforms,
      ...ofTasks,
    },
    { type: runtime, id: 'shim', requires: [], ...ofTasks },
    {
      type: internal,
      id: 'restart',
      requires: [events, service],
      capabilities: restartPolicies,
      ...ofTasks,
    },
    { type: leases, id: 'manager', requires: [metadata] },
    { type: streaming, id: 'manager', requires: [] },
    { type: mountManager, id: 'local', requires: [metadata] },
    { type: sandboxStore, id: 'local', requires: [metadata] },
    { type: sandboxController, id: 'local', requires: [runtime, events, sandboxStore], ...ofTasks },
    { type: transfer, id: 'local', requires: [leases, metadata, differ, streaming] },
    ...['containers', 'content', 'images', 'introspection', 'namespaces', 'snapshots'].map((id) => {
      return { type: service, id: `${id}-service`, requires: [metadata] }
    }),
    { type: service, id: 'diff-service', requires: [differ] },
    { type: service, id: 'tasks-service', requires: [metadata, runtime], ...ofTasks },
    ...['containers', 'content', 'diff', 'images', 'introspection', 'namespaces', 'snapshots'].map((id) => {
      return { type: grpc, id, requires: [service] }
    }),
    { type: grpc, id: 'events', requires: [events] },
    { type: grpc, id: 'leases', requires: [leases] },
    { type: grpc, id: 'healthcheck', requires: [] },
    { type: grpc, id: 'mounts', requires: [mountManager] },
    { type: grpc, id: 'sandboxes', requires: [sandboxStore] },
    { type: grpc, id: 'sandbox-controllers', requires: [sandboxController, events], ...ofTasks },
    { type: grpc, id: 'streaming', requires: [streaming] },
    { type: grpc, id: 'tasks', requires: [service], ...ofTasks },
    { type: grpc, id: 'transfer', requires: [transfer] },
    { type: grpc, id: 'version', requires: [] },
  ]
}

function snapshotterPlugin({
  name,
  root,
  connection,
  snapshotter: loaded,
  refusal,
}: SnapshotterEntry): Plugin {
  if (connection !== undefined) return proxyPlugin(snapshotter, connection)
  return {
    type: snapshotter,
    id: name,
    requires: [],
    platforms: [defaultPlatform()],
    ...(root !== undefined && { exports: { root } }),
    // Without it, clients do not name the parent at commit.
    capabilities: loaded !== undefined && hasLayerDirectories(loaded) ? ['rebase'] : [],
    // Without layers in them, snapshots are of no use to clients.
    ...(refusal === undefined ? differNeedsLinux() : { skipped: refusal.message }),
  }
}

/** A plugin of another process, as its configuration describes it. */
function proxyPlugin(
  type: string,
  { plugin, failure }: { readonly plugin: ProxyPlugin; readonly failure: NsboxError | undefined },
): Plugin {
  const { name, address, platform = defaultPlatform(), exports = {}, capabilities = [] } = plugin
  return {
    type,
    id: name,
    requires: [],
    platforms: [platform],
    exports: { ...exports, address },
    capabilities,
    failure,
  }
}

function differNeedsLinux(): Pick<Plugin, 'skipped'> {
  return process.platform === 'linux' ? {} : { skipped: `layers on ${process.platform}: not implemented` }
}
