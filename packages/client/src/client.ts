import { Web } from '@nsbox/api/gen/nsbox/web/v1/web_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import type { ContainerStore } from '@nsbox/core/containers'
import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Applier, Comparer } from '@nsbox/core/diff'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { Labels } from '@nsbox/core/labels'
import type { LeaseStore } from '@nsbox/core/leases'
import type { SandboxStore } from '@nsbox/core/sandboxes'
import type { Snapshotter } from '@nsbox/core/snapshots'
import type { Tasks } from '@nsbox/core/tasks'
import type { Transferrer } from '@nsbox/core/transfer'
import { isNotFound } from '@nsbox/errors'
import { type NamespaceStore, namespaceFromEnvironment, requireNamespace } from '@nsbox/namespaces'
import { type Descriptor, defaultPlatform, labelKeys } from '@nsbox/oci'
import { addressFromEnvironment } from './connection/address.ts'
import { AnswerTypes } from './connection/checked-answers.ts'
import type { ClientTls } from './connection/endpoint.ts'
import { Rpc } from './connection/rpc.ts'
import { type AdmitPeer, Session } from './connection/session.ts'
import { ContainerHandle } from './containers/container-handle.ts'
import type { CreateContainerOptions } from './containers/create-container.ts'
import type { RestoreOptions } from './containers/restore-container.ts'
import type { RunOptions, RunResult } from './containers/run-container.ts'
import type { Disk } from './disk/disk.ts'
import { remoteDisk } from './disk/remote-disk.ts'
import { snapshotterFromEnvironment } from './messages/snapshotter-name.ts'
import { Introspection } from './remote/introspection.ts'
import { RemoteApplier } from './remote/remote-applier.ts'
import { RemoteComparer } from './remote/remote-comparer.ts'
import { RemoteContainerStore } from './remote/remote-container-store.ts'
import { RemoteContentStore } from './remote/remote-content-store.ts'
import { RemoteEvents } from './remote/remote-events.ts'
import { RemoteImageStore } from './remote/remote-image-store.ts'
import { RemoteLeaseStore } from './remote/remote-lease-store.ts'
import { RemoteMounts } from './remote/remote-mounts.ts'
import { RemoteNamespaceStore } from './remote/remote-namespace-store.ts'
import { RemoteSandboxStore } from './remote/remote-sandbox-store.ts'
import { RemoteSnapshotter, type SnapshotterOptions } from './remote/remote-snapshotter.ts'
import { RemoteTasks } from './remote/remote-tasks.ts'
import { RemoteTransfer } from './remote/remote-transfer.ts'
import { SandboxController } from './remote/sandbox-controller.ts'
import type { TaskHandle } from './task/task-handle.ts'
import type { PullOptions, PushOptions } from './transfer-options.ts'

/** Where to connect to, and on whose behalf. */
export interface ConnectOptions {
  /**
   * Path of the socket, `unix:///path`, or `tcp://host:port` for a server over TLS; `CONTAINERD_ADDRESS` by default,
   * else `defaultAddress()`.
   */
  readonly address?: string | undefined
  /** TLS settings for TCP. */
  readonly tls?: ClientTls | undefined
  /** Bearer token for a server over TCP. */
  readonly token?: string | undefined
  /** `CONTAINERD_NAMESPACE` by default, else `default`. */
  readonly namespace?: string | undefined
  /** Id of a lease that holds what the calls make. */
  readonly lease?: string | undefined
  /** Milliseconds that connecting may take; 10,000 by default. */
  readonly connectTimeout?: number | undefined
  /** Looks at each connection before any call is made on it, and throws if it must not be used. */
  readonly admitPeer?: AdmitPeer | undefined
  /**
   * Whether the sizes and fields of answers are counted before they are decoded, for a server that is not trusted;
   * calls fail with `data_loss` then. False by default.
   */
  readonly checkAnswers?: boolean | undefined
}

/** How to make a lease. */
export interface LeaseOptions extends AbortOptions {
  /** Milliseconds until the lease expires, unless it is deleted before; a day by default. */
  readonly expiresIn?: number | undefined
  readonly labels?: Labels | undefined
}

/**
 * A server, seen from one namespace. Every call may fail with `unavailable` if the server is away; the next one
 * connects again.
 */
export interface ClientView {
  readonly address: string
  readonly namespace: string
  readonly lease: string | undefined
  readonly namespaces: NamespaceStore
  readonly content: ContentStore
  readonly images: ImageStore
  readonly containers: ContainerStore
  readonly sandboxes: SandboxStore
  readonly sandboxController: SandboxController
  readonly tasks: Tasks
  readonly leases: LeaseStore
  /** Applies layers of `content` to mounts, which must have the parents of the snapshot already. */
  readonly applier: Applier
  /** Stores layers in `content`. */
  readonly comparer: Comparer
  /** Mounts on the server's host. */
  readonly mounts: RemoteMounts
  readonly events: RemoteEvents
  readonly transfer: Transferrer
  readonly introspection: Introspection
  readonly disk: Disk

  /**
   * A snapshotter of the server; its calls fail if the server has none of that name. Its mounts can be mounted on the
   * server's host only.
   * @param name `CONTAINERD_SNAPSHOTTER` by default, else `overlayfs`
   */
  snapshotter(name?: string, options?: SnapshotterOptions): Snapshotter

  /**
   * A container by its id, with its task and the streams of its processes; calls fail with `not_found` if there is
   * none.
   */
  container(id: string): ContainerHandle

  /**
   * Makes a container from a checkpoint, with a task. Once started, the task goes on where it was, or starts anew.
   * After an error nothing is left.
   *
   * @param from name of the checkpoint's image, or its descriptor
   * @throws `already_exists` for the container or its snapshot; `not_found` for the checkpoint, its image or a part
   * that was asked for; `permission_denied` for one that is not trusted and reaches the host; `failed_precondition` for
   * an image that is no checkpoint, a checkpoint without a spec or an image that is not unpacked; as `Tasks.create`
   */
  restore(id: string, from: string | Descriptor, options?: RestoreOptions): Promise<TaskHandle>

  /**
   * Runs a container of an image to its end and removes it. The image is pulled and unpacked where it is missing, and
   * stays.
   *
   * @returns exit status and output
   * @throws `not_found` for an image that no registry has; `failed_precondition` for an image whose user is a name, and
   * for one that is none; `resource_exhausted` for more output than is to be collected; as `pull` and `Tasks.create`
   */
  run(options: RunOptions): Promise<RunResult>

  /**
   * Makes a container of an image, which is pulled and unpacked where it is missing, with a snapshot of its own under
   * the same name. After an error nothing is left but the image.
   *
   * @throws as `run`; `already_exists`
   */
  create(options: CreateContainerOptions): Promise<ContainerHandle>

  version(options?: AbortOptions): Promise<{ version: string; revision: string }>

  /**
   * Makes a link that opens the server's page in one browser of its machine, within a minute; `write` tells whether the
   * page may change anything. containerd answers `unimplemented`.
   *
   * @throws `failed_precondition` if the server shows no page; `permission_denied` for a tenant
   */
  pageLink(options?: AbortOptions): Promise<{ url: string; write: boolean }>

  /** The same server from another namespace, without a lease. @throws `invalid_argument` for a malformed name */
  withNamespace(namespace: string): ClientView

  /** The same namespace, with a lease that holds what the calls make. */
  withLease(id: string): ClientView

  /** Makes a lease. Disposing of it ends it; it expires if this process dies before. */
  createLease(options?: LeaseOptions): Promise<OwnLease>

  /**
   * Lets the server pull an image.
   * @param reference in full, such as `docker.io/library/redis:latest`
   */
  pull(reference: string, options?: PullOptions): Promise<Image>

  /** Lets the server push an image. */
  push(name: string, options?: PushOptions): Promise<void>

  /** Gives an image a second name, which must be free. @throws `not_found`, `already_exists` */
  tag(name: string, as: string, options?: AbortOptions): Promise<Image>
}

/** A lease of this client's own. */
export interface OwnLease extends AsyncDisposable {
  readonly id: string
  /** A view with this lease. */
  readonly client: ClientView
}

/** A view that owns its connection: disposing of it ends all calls, those of other views as well. */
export interface Client extends ClientView, AsyncDisposable {}

/**
 * A client of the server at an address. Nothing is connected to before the first call.
 *
 * @throws `invalid_argument` for an address that names no socket or a malformed namespace
 */
export function connect(options: ConnectOptions = {}): Client {
  const {
    address = addressFromEnvironment(),
    namespace = namespaceFromEnvironment(),
    lease,
    connectTimeout = 10_000,
    tls,
    token,
    admitPeer,
    checkAnswers = false,
  } = options
  const session = new Session(address, { connectTimeout, tls, token, admitPeer })
  const answers = checkAnswers ? new AnswerTypes() : undefined
  const view = openView(new Rpc(session, { namespace: requireNamespace(namespace), lease }, answers))
  return { ...view, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() }
}

/** A view, whose stores are made once and share the connection. */
function openView(rpc: Rpc): ClientView {
  const { namespace, lease } = rpc.binding
  const view: ClientView = {
    address: rpc.session.address,
    namespace,
    lease,
    namespaces: new RemoteNamespaceStore(rpc),
    content: new RemoteContentStore(rpc),
    images: new RemoteImageStore(rpc),
    containers: new RemoteContainerStore(rpc),
    sandboxes: new RemoteSandboxStore(rpc),
    sandboxController: new SandboxController(rpc),
    tasks: new RemoteTasks(rpc),
    leases: new RemoteLeaseStore(rpc),
    applier: new RemoteApplier(rpc),
    comparer: new RemoteComparer(rpc),
    mounts: new RemoteMounts(rpc),
    events: new RemoteEvents(rpc),
    transfer: new RemoteTransfer(rpc),
    introspection: new Introspection(rpc),
    disk: remoteDisk(rpc, () => view),
    snapshotter: (name = snapshotterFromEnvironment(), options = {}) =>
      new RemoteSnapshotter(rpc, name, options),
    container: (id) => new ContainerHandle(id, view),

    async restore(id, from, options = {}) {
      // Loaded only here: few clients restore anything.
      const { restore } = await import('./containers/restore-container.ts')
      return await restore(view, id, from, options)
    },

    async run(options) {
      // Loaded only here, and below: few clients make containers.
      const { runContainer } = await import('./containers/run-container.ts')
      return await runContainer(view, options)
    },

    async create(options) {
      const { createContainer } = await import('./containers/create-container.ts')
      return view.container((await createContainer(view, options)).id)
    },

    async version(options = {}) {
      const { version, revision } = await rpc.unary(Version.method.version, {}, options)
      return { version, revision }
    },

    async pageLink(options = {}) {
      const { url, write } = await rpc.unary(Web.method.open, {}, options)
      return { url, write }
    },

    withNamespace: (name) => openView(rpc.bind({ namespace: requireNamespace(name), lease: undefined })),
    withLease: (id) => openView(rpc.bind({ lease: id })),

    async createLease({ expiresIn = 86_400_000, labels, signal } = {}) {
      const expiry = new Date(Date.now() + expiresIn).toISOString()
      const { id } = await view.leases.create(
        { labels: { ...labels, [labelKeys.gcExpire]: expiry } },
        { signal },
      )
      const end = async () => {
        try {
          await view.leases.delete(id)
        } catch (error) {
          // The lease has expired.
          if (!isNotFound(error)) throw error
        }
      }
      return { id, client: view.withLease(id), [Symbol.asyncDispose]: end }
    },

    async pull(reference, options = {}) {
      const {
        name = reference,
        platforms = [defaultPlatform()],
        allMetadata,
        unpack,
        labels,
        ...rest
      } = options
      const { onProgress, signal, ...registry } = rest
      const unpackFor = platforms.length === 0 ? [defaultPlatform()] : platforms
      const unpacks = unpack && unpackFor.map((platform) => ({ platform, snapshotter: unpack.snapshotter }))
      await view.transfer.transfer(
        { kind: 'registry', reference, ...registry },
        { kind: 'image', name, platforms, allMetadata, unpacks, labels },
        { onProgress, signal },
      )
      return await view.images.get(name, { signal })
    },

    async push(name, options = {}) {
      const { reference = name, platforms, onProgress, signal, ...registry } = options
      await view.transfer.transfer(
        { kind: 'image', name, platforms },
        { kind: 'registry', reference, ...registry },
        { onProgress, signal },
      )
    },

    async tag(name, as, options = {}) {
      const { target, labels } = await view.images.get(name, options)
      return await view.images.create({ name: as, target, labels }, options)
    },
  }
  return view
}
