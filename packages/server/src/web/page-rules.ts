import type { DescService } from '@bufbuild/protobuf'
import { Health } from '@nsbox/api/gen/grpc/health/v1/health_pb'
import { Disk } from '@nsbox/api/gen/nsbox/disk/v1/disk_pb'
import { Processes } from '@nsbox/api/gen/nsbox/tasks/v1/processes_pb'
import { Page, Web } from '@nsbox/api/gen/nsbox/web/v1/web_pb'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Mounts } from '@nsbox/api/gen/services/mounts/v1/mounts_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Controller, Store } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { Transfer } from '@nsbox/api/gen/services/transfer/v1/transfer_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'

/**
 * When the page may call a method: always, since it changes nothing and starts nothing (`look`), in the mode for
 * actions (`act`), or never, since it has no use for it (`never`).
 */
export type PageRule = 'look' | 'act' | 'never'

const look = 'look'
const act = 'act'
const never = 'never'

/** The rules for the page, one for every method of every service. A method without a rule is refused. */
export const pageRules: ReadonlyMap<string, PageRule> = new Map([
  ...rulesOf(Version, { version: look }),
  ...rulesOf(Health, { check: look, watch: look }),
  ...rulesOf(Introspection, {
    ...{ plugins: look, server: look },
    // It runs a program, which its options may name.
    pluginInfo: never,
  }),
  ...rulesOf(Namespaces, { get: look, list: look, create: never, update: never, delete: never }),
  ...rulesOf(Content, {
    ...{ info: look, list: look, read: look, status: look, listStatuses: look },
    ...{ update: never, delete: never, write: never, abort: never },
  }),
  ...rulesOf(Images, { get: look, list: look, delete: act, create: never, update: never }),
  ...rulesOf(Leases, {
    ...{ list: look, listResources: look },
    ...{ create: act, delete: act, addResource: act, deleteResource: act },
  }),
  ...rulesOf(Containers, {
    ...{ get: look, list: look, listStream: look },
    ...{ create: act, delete: act, update: never },
  }),
  ...rulesOf(Mounts, { info: look, list: look, activate: never, deactivate: never, update: never }),
  ...rulesOf(Store, { get: look, list: look, create: never, update: never, delete: never }),
  // Its calls go to programs that run sandboxes.
  ...rulesOf(Controller, {
    ...{ create: never, start: never, platform: never, stop: never, wait: never, status: never },
    ...{ shutdown: never, metrics: never, update: never },
  }),
  ...rulesOf(Snapshots, {
    ...{ stat: look, list: look, usage: look },
    // Who knows the mounts may write to the snapshot: it is not shared any more.
    mounts: act,
    ...{ prepare: act, remove: act },
    ...{ view: never, commit: never, update: never, cleanup: never },
  }),
  ...rulesOf(Diff, { apply: never, diff: never }),
  ...rulesOf(Tasks, {
    ...{ get: look, list: look, listPids: look, metrics: look, wait: look },
    ...{ create: act, start: act, delete: act, deleteProcess: act, kill: act, pause: act, resume: act },
    ...{ exec: act, resizePty: act, closeIO: act, checkpoint: act, update: never },
  }),
  ...rulesOf(Processes, { kill: act }),
  ...rulesOf(Disk, { list: look }),
  ...rulesOf(Events, { subscribe: look, publish: never, forward: never }),
  // Browsers have no calls with messages both ways; the page listens to a stream by `Page.Listen`.
  ...rulesOf(Streaming, { stream: never }),
  ...rulesOf(Transfer, { transfer: act }),
  ...rulesOf(Page, { listen: act }),
  // A page must not make links to others.
  ...rulesOf(Web, { open: never }),
])

/** The type requires a rule for each method. */
function rulesOf<S extends DescService>(
  service: S,
  rules: { readonly [M in keyof S['method']]: PageRule },
): [string, PageRule][] {
  return service.methods.map(({ name, localName }) => [
    `${service.typeName}/${name}`,
    rules[localName as keyof S['method']],
  ])
}
