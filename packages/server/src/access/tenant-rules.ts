import { create, type MessageShape } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import { packAny, typeName, unpackAny } from '@nsbox/api'
import { TaskCreateSchema } from '@nsbox/api/gen/events/task_pb'
import { Health } from '@nsbox/api/gen/grpc/health/v1/health_pb'
import { Disk } from '@nsbox/api/gen/nsbox/disk/v1/disk_pb'
import { Processes } from '@nsbox/api/gen/nsbox/tasks/v1/processes_pb'
import { Page, Web } from '@nsbox/api/gen/nsbox/web/v1/web_pb'
import { type ContainerSchema, Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
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
import type { EnvelopeSchema } from '@nsbox/api/gen/types/event_pb'
import type { Container } from '@nsbox/core/containers'
import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError, quoted } from '@nsbox/errors'
import { fromContainerMessage } from '../convert/container.ts'
import { namespaceRefusal, permits } from './access.ts'
import { type Rule, type Rules, rulesOf, type TenantCall } from './rule.ts'
import {
  admitContainer,
  admitNone,
  admitRestart,
  admitRuntimeOptions,
  ordersTasks,
} from './tenant-container.ts'
import { type MountsOf, resolveMounts, snapshotMount } from './tenant-mounts.ts'
import { admitProcess, admitResources } from './tenant-spec.ts'
import { admitEndpoint } from './tenant-transfer.ts'

/** Lookups of the rules. */
export interface TenantRulesParts {
  /** @throws `not_found` */
  readonly containerOf: (namespace: string, id: string, options: AbortOptions) => Promise<Container>
  readonly hasTask: (namespace: string, id: string, options: AbortOptions) => Promise<boolean>
  /** Of one namespace's snapshots. */
  readonly mountsIn: (namespace: string) => MountsOf
}

const read = { needs: 'read' } as const
const write = { needs: 'write' } as const
const run = { needs: 'run' } as const
const open = { needs: 'open' } as const
const never = { needs: 'never' } as const

/**
 * The rules for tenants, one for every method of every service. A method without a rule is refused. The request that a
 * rule returns is the one that is served, so what was checked is what is used.
 */
export function tenantRules(parts: TenantRulesParts): Rules {
  const { containerOf } = parts
  return new Map<string, Rule<never, unknown>>([
    ...rulesOf(Version, { version: open }),
    ...rulesOf(Health, { check: open, watch: open }),
    ...rulesOf(Introspection, {
      plugins: { ...open, answer: (answer) => withoutHost(answer) },
      // Clients call it at each start; the server's identity and process belong to the host.
      server: {
        ...open,
        answer: (answer) => ({ ...answer, uuid: '', pid: 0n, pidns: 0n, deprecations: [] }),
      },
      // Its options may name programs of the host.
      pluginInfo: never,
    }),
    ...rulesOf(Namespaces, {
      get: {
        ...open,
        request(request, { access }) {
          if (!access.grants.has(request.name)) throw namespaceRefusal(request.name)
          return request
        },
      },
      list: {
        ...open,
        answer: (answer, _, { access }) => {
          return { ...answer, namespaces: answer.namespaces.filter(({ name }) => access.grants.has(name)) }
        },
      },
      // Namespaces are created by storing something in them, and their labels configure the server.
      ...{ create: never, update: never, delete: never },
    }),
    ...rulesOf(Content, {
      ...{ info: read, list: read, read, status: read, listStatuses: read },
      ...{ update: write, delete: write, write, abort: write },
    }),
    ...rulesOf(Images, { get: read, list: read, create: write, update: write, delete: write }),
    ...rulesOf(Leases, {
      ...{ list: read, listResources: read },
      ...{ create: write, delete: write, addResource: write, deleteResource: write },
    }),
    ...rulesOf(Containers, {
      ...{ get: read, list: read, listStream: read },
      create: {
        ...write,
        request(request, call) {
          admitMessage(request.container, call)
          return request
        },
      },
      update: {
        ...write,
        async request(request, call) {
          admitMessage(request.container, call)
          // What a task is checked by is not in the labels.
          const paths = request.updateMask?.paths ?? []
          if (paths.length === 0 || !paths.every((path) => /^labels(?:\.|$)/.test(path)))
            await demandNoTask(parts, call, request.container?.id ?? '')
          return request
        },
      },
      delete: {
        ...write,
        async request(request, call) {
          await demandNoTask(parts, call, request.id)
          return request
        },
      },
    }),
    // Mounts are made of paths of the host, and the answers have such paths.
    ...rulesOf(Mounts, { activate: never, deactivate: never, info: never, update: never, list: never }),
    ...rulesOf(Store, { get: read, list: read, create: write, update: write, delete: write }),
    // The program that runs a sandbox may be one of the host.
    ...rulesOf(Controller, {
      ...{ create: never, start: never, platform: never, stop: never, wait: never, status: never },
      ...{ shutdown: never, metrics: never, update: never },
    }),
    ...rulesOf(Snapshots, {
      prepare: { ...write, answer: named },
      view: { ...write, answer: named },
      mounts: { ...read, answer: named },
      ...{ stat: read, list: read, usage: read },
      ...{ commit: write, remove: write, update: write },
      // It cleans up after all namespaces.
      cleanup: never,
    }),
    ...rulesOf(Diff, {
      apply: {
        ...write,
        request: async (request, call) => ({ ...request, mounts: await own(parts, request.mounts, call) }),
      },
      diff: {
        ...write,
        request: async (request, call) => ({
          ...request,
          left: await own(parts, request.left, call),
          right: await own(parts, request.right, call),
        }),
      },
    }),
    ...rulesOf(Tasks, {
      ...{ get: read, list: read, listPids: read, metrics: read, wait: read },
      ...{ start: run, delete: run, deleteProcess: run, kill: run, resizePty: run, closeIO: run },
      ...{ pause: run, resume: run },
      create: {
        ...run,
        async request(request, call) {
          const { stdin, stdout, stderr, checkpoint, runtimePath } = request
          admitNone({ stdin, stdout, stderr, checkpoint, runtime_path: runtimePath })
          admitRuntimeOptions(request.options)
          return { ...request, rootfs: await own(parts, request.rootfs, call) }
        },
      },
      exec: {
        ...run,
        async request(request, { namespace, signal }) {
          const { stdin, stdout, stderr, spec } = request
          admitNone({ stdin, stdout, stderr })
          if (spec !== undefined) admitProcess(spec)
          // The operator may have given the container more than a tenant may have.
          admitContainer(await containerOf(namespace, request.containerId, { signal }), namespace)
          return request
        },
      },
      update: {
        ...run,
        request(request) {
          admitNone({ annotations: Object.keys(request.annotations) })
          if (request.resources !== undefined) admitResources(request.resources)
          return request
        },
      },
      // Restoring trusts the images of CRIU, and the options are paths of the host.
      checkpoint: never,
    }),
    ...rulesOf(Processes, { kill: run }),
    ...rulesOf(Disk, { list: { ...read, answer: withoutBackings } }),
    ...rulesOf(Events, {
      // A tenant could fake the server's own events.
      ...{ publish: never, forward: never },
      subscribe: { ...open, answer: withoutPaths },
    }),
    ...rulesOf(Streaming, { stream: write }),
    // The page shows all namespaces.
    ...rulesOf(Web, { open: never }),
    ...rulesOf(Page, { listen: never }),
    ...rulesOf(Transfer, {
      transfer: {
        ...write,
        request(request) {
          admitEndpoint(request.source)
          admitEndpoint(request.destination)
          return request
        },
      },
    }),
  ])
}

function admitMessage(
  container: MessageShape<typeof ContainerSchema> | undefined,
  { namespace, access }: TenantCall,
): void {
  if (container === undefined) return
  admitContainer({ ...fromContainerMessage(container), id: container.id }, namespace)
  admitRestart(container.labels)
  if (ordersTasks(container.labels) && !permits(access, namespace, 'run'))
    throw new NsboxError('permission_denied', `labels of restarts in namespace ${quoted(namespace)}`)
}

/**
 * A container cannot be deleted while it has a task: rules check a task by its container, and another one with the same
 * id would give it other rights.
 */
async function demandNoTask(
  { hasTask }: TenantRulesParts,
  { namespace, signal }: TenantCall,
  id: string,
): Promise<void> {
  if (!(await hasTask(namespace, id, { signal }))) return
  throw new NsboxError('failed_precondition', `container ${quoted(id)} has a task`)
}

async function own(
  { mountsIn }: TenantRulesParts,
  mounts: Parameters<typeof resolveMounts>[0],
  { namespace, signal }: TenantCall,
): ReturnType<typeof resolveMounts> {
  return await resolveMounts(mounts, mountsIn(namespace), { signal })
}

function named<A extends { mounts: unknown }>(
  answer: A,
  { snapshotter, key }: { readonly snapshotter: string; readonly key: string },
): A {
  return { ...answer, mounts: [snapshotMount(snapshotter, key)] }
}

/** The plugins, without their paths and reasons. */
function withoutHost(answer: MessageShape<typeof Introspection.method.plugins.output>): typeof answer {
  const plugins = answer.plugins.map((plugin) => ({
    ...plugin,
    exports: {},
    ...(plugin.initErr && { initErr: { ...plugin.initErr, message: 'not on this host: skip plugin' } }),
  }))
  return { ...answer, plugins }
}

/** Whose snapshots have the same files, and how many the server has, is not the tenant's. */
function withoutBackings(answer: MessageShape<typeof Disk.method.list.output>): typeof answer {
  const objects = answer.objects.map((object) => {
    const { name, storage } = object
    if (name === undefined || storage === '' || storage.startsWith('content/')) return object
    return { ...object, storage: `${name.kind}/${name.snapshotter}/${name.id}` }
  })
  return { ...answer, objects }
}

/** The event of a task's creation has paths of the host. */
function withoutPaths(envelope: MessageShape<typeof EnvelopeSchema>): typeof envelope {
  const { topic, event } = envelope
  if (topic !== '/tasks/create' || event === undefined) return envelope
  return { ...envelope, event: withoutTaskPaths(event) }
}

function withoutTaskPaths(event: MessageShape<typeof AnySchema>): typeof event {
  if (typeName(event) !== TaskCreateSchema.typeName) return create(AnySchema, { typeUrl: event.typeUrl })
  try {
    return packAny(TaskCreateSchema, { ...unpackAny(TaskCreateSchema, event), bundle: '', rootfs: [] })
  } catch {
    return create(AnySchema, { typeUrl: event.typeUrl })
  }
}
