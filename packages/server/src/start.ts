import { setMaxListeners } from 'node:events'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect'
import { openContentStore } from '@nsbox/content'
import { LayerWorkers } from '@nsbox/diff'
import { type Metadata, openMetadata } from '@nsbox/metadata'
import { trimMemory } from '@nsbox/sys/processes'
import { hasTreeThread } from '@nsbox/trees'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type Logger, pino } from 'pino'
import { withRealPaths } from './access/hidden-paths.ts'
import { tenantRules } from './access/tenant-rules.ts'
import { opaqueEventFields } from './convert/event.ts'
import { publish } from './counts/channels.ts'
import { ServerCounts } from './counts/server-counts.ts'
import { openDataRoot } from './data/data-root.ts'
import { serverUuid } from './data/server-uuid.ts'
import { openStateDirectory } from './data/state-directory.ts'
import { localApplier } from './diff/local-applier.ts'
import { EventExchange } from './events/event-exchange.ts'
import { allOf } from './listen/all-of.ts'
import { bindSocket, listenOn } from './listen/bind-socket.ts'
import { openGatedListeners } from './listen/gated-listeners.ts'
import { createHttpServers } from './listen/http-servers.ts'
import { OpenConnections } from './listen/open-connections.ts'
import { openTtrpcSocket } from './listen/ttrpc-socket.ts'
import { openMetricsListener, parseMetricsAddress } from './metrics/metrics-listener.ts'
import { ServerMetrics } from './metrics/server-metrics.ts'
import { MountManager } from './mounts/mount-manager.ts'
import { openProxyPlugins } from './proxy-plugins/open-proxy-plugins.ts'
import { RestartMonitor } from './restarts/restart-monitor.ts'
import { registerRoutes } from './routes/register-routes.ts'
import type { RouteParts } from './routes/route-parts.ts'
import { accessGate } from './rpc/access-gate.ts'
import { callBudgets } from './rpc/call-budgets.ts'
import { codedErrors } from './rpc/coded-errors.ts'
import { durableReplies } from './rpc/durable-replies.ts'
import { idleMemory } from './rpc/idle-memory.ts'
import { interruptibleRequests } from './rpc/interruptible-requests.ts'
import { LoopMonitor } from './rpc/loop-monitor.ts'
import { requestLog } from './rpc/request-log.ts'
import { createRpcHandler } from './rpc/rpc-handler.ts'
import { isRuntimeName } from './runtime-names.ts'
import { RunningSandboxes } from './sandboxes/running-sandboxes.ts'
import type { Server, ServerConfig } from './server.ts'
import { sharedServices } from './shared-services.ts'
import { shutDown } from './shut-down.ts'
import { backgroundCleanup } from './snapshotters/background-cleanup.ts'
import { openSnapshotters } from './snapshotters/open-snapshotters.ts'
import { hasTask } from './tasks/has-task.ts'
import { openRuntime } from './tasks/open-runtime.ts'
import { namespaceTasks } from './tasks/tasks-of.ts'
import { tenantRulesParts } from './tenant-rules-parts.ts'
import { openTelemetry } from './tracing/open-telemetry.ts'
import { noTracer } from './tracing/tracer.ts'
import { builtPage, type PageFiles } from './web/page-files.ts'
import { WebPage } from './web/web-page.ts'

/**
 * Starts a server in this process. It serves once the promise resolves.
 *
 * @param options.log by default nothing is logged
 * @param options.collectGarbage called when the server is idle, for a process of its own; does nothing by default
 * @param options.pageFiles loads the files of the page for browsers, if it is served; those of `@nsbox/web` by default
 * @throws `failed_precondition` if another server has the root or the socket; the errors of the stores
 */
export async function startServer(
  config: ServerConfig,
  {
    log = silent,
    collectGarbage = async () => {},
    pageFiles = builtPage,
  }: { log?: Logger; collectGarbage?: () => Promise<void>; pageFiles?: PageFiles } = {},
): Promise<Server> {
  const { durability = 'full', sharingPolicy = 'shared' } = config
  let { hostsDir } = config
  await using starting = new AsyncDisposableStack()
  const dataRoot = starting.use(await openDataRoot(resolve(config.root)))
  const root = dataRoot.path
  const state = starting.use(await openStateDirectory(config.state && resolve(config.state))).path
  const address = resolve(config.address ?? join(state, 'nsbox.sock'))

  const { metricsAddress } = config
  if (metricsAddress !== undefined) parseMetricsAddress(metricsAddress)
  const page = new WebPage(config)
  const gated = await openGatedListeners(config)
  const { isSealed } = gated
  const uuid = await serverUuid(root)
  const counts = new ServerCounts()
  const { tracer = noTracer, callSpans } = (await openTelemetry()) ?? {}
  const proxies = starting.use(openProxyPlugins(config.proxyPlugins ?? []))
  // The store that they are in is opened with the snapshotters.
  let listNamespaces: Metadata['namespaces']['list'] = async () => []
  const opening = [
    openContentStore({ root: join(root, 'content'), durability }).then((store) => starting.use(store)),
    openSnapshotters({
      root: join(root, 'snapshots'),
      durability,
      proxied: {
        connections: proxies.snapshotters,
        mark: uuid,
        namespaces: async (options) => (await listNamespaces(options)).map(({ name }) => name),
      },
      log,
    }).then((opened) => starting.use(opened)),
  ] as const
  // After an error the other has to be open before it can be closed.
  await Promise.allSettled(opening)
  const [content, { entries: snapshotters, loaded }] = await Promise.all(opening)
  const events = new EventExchange({ opaqueFields: opaqueEventFields })
  const metadata = starting.use(
    await openMetadata({
      path: join(root, 'metadata.db'),
      content,
      snapshotters: loaded,
      policy:
        config.accessList === undefined
          ? sharingPolicy
          : (name) => (isSealed(name) ? 'sealed' : sharingPolicy),
      durability,
      // `durableReplies` waits, so that a pull waits once and not for each layer.
      answers: 'held',
      // Started below, once the runtime has reported what tasks of an earlier server use.
      collector: { manual: true },
      onEvent: (namespace, event) => events.announce(namespace, event),
      isHeard: () => events.isHeard,
      onCollection: counts.hasCollected,
      log,
    }),
  )
  listNamespaces = (options) => metadata.namespaces.list(options)
  starting.use(backgroundCleanup(snapshotters, log))
  // Two at least: one may follow a download, and one must be left for complete layers.
  const workers = starting.use(new LayerWorkers({ threads: Math.max(2, availableParallelism()) }))
  const applier = starting.use(
    localApplier(workers, content, {
      writeEarly: durability === 'full',
      onSkipped: (layer, skipped) => log.warn({ layer, skipped }, 'some of a layer cannot be made here'),
    }),
  )
  const mounts = starting.use(
    await MountManager.open({
      directory: join(state, 'mounts'),
      temporary: config.state === undefined,
      uses: metadata,
      log,
    }),
  )
  const tasks = starting.use(
    await openRuntime({
      state,
      root,
      temporary: config.state === undefined,
      address,
      binary: config.runtimeBinary,
      shim: config.runtimeShim,
      isSealed,
      shortcuts: config.runtimeShortcuts !== 'off',
      uses: metadata,
      onEvent: (namespace, event) => {
        publish('nsbox:task', () => ({ namespace, event }))
        events.announce(namespace, event)
      },
      onMissed: (namespace, event) => events.announceMissed(namespace, event),
      tracer,
      log,
    }),
  )
  await mounts.endOrphans((namespace, id) => hasTask(tasks.runtime.namespace(namespace), id))
  metadata.startCollector()
  const sandboxes = new RunningSandboxes({
    directory: join(state, 'sandboxes'),
    isKnownRuntime: (name) => tasks.refusal === undefined && isRuntimeName(name),
    onEvent: (namespace, event) => events.announce(namespace, event),
  })

  const stopping = new AbortController()
  const aborting = new AbortController()
  // Every running call listens to them.
  setMaxListeners(0, stopping.signal, aborting.signal)
  const idle = starting.use(
    idleMemory({
      collect: collectGarbage,
      trim: trimMemory,
      isBusy: () => workers.hasThreads || hasTreeThread(),
      log,
    }),
  )
  const loop = starting.use(new LoopMonitor({ log, onDelay: (ms) => counts.loopDelay.observe(ms / 1000) }))
  const isAlone = (namespace: string) => sharingPolicy === 'isolated' || isSealed(namespace)
  const parts: RouteParts = {
    ...{
      metadata,
      snapshotters,
      applier,
      workers,
      events,
      tasks,
      mounts,
      sandboxes,
      hostsDir: () => hostsDir,
      isAlone,
      uuid,
      counts,
      tracer,
      pageLink: () => page.link(),
    },
    ...{ stopping: stopping.signal, log },
  }
  const shared = sharedServices(parts)
  const gateOfTenants = accessGate({
    rules: tenantRules(tenantRulesParts({ metadata, snapshotters, runtime: tasks.runtime })),
    hidden: await withRealPaths([root, state]),
  })
  // Each listener has limits of its own, so that tenants cannot use up those of the operator.
  const newHandler = (gate = gateOfTenants) =>
    createRpcHandler({
      routes: (router: ConnectRouter) => registerRoutes(router, parts, shared),
      interceptors: [
        ...[
          idle.interceptor,
          requestLog(log, { loop, counts: counts.calls, spans: callSpans }),
          codedErrors,
          gate,
        ],
        ...[durableReplies(() => metadata.durable()), interruptibleRequests],
      ],
      shutdownSignal: aborting.signal,
      budgets: callBudgets(),
      log,
    })
  const http = createHttpServers(newHandler(), log)
  http.server.on('connection', (socket) => socket.once('close', idle.touch))
  const connections = new OpenConnections(http.server)
  starting.defer(() =>
    shutDown({
      http: allOf(() => [http, ...gated.listeners, ...page.listeners]),
      stop: () => {
        stopping.abort()
        events.close()
      },
      abort: () => aborting.abort(new ConnectError('the server is shutting down', Code.Unavailable)),
    }),
  )
  starting.use(
    await openTtrpcSocket(address, async (envelope) => {
      if (tasks.isNews(envelope)) await events.forward(envelope)
    }),
  )
  if (config.socket === undefined) await bindSocket(http.server, address)
  else await listenOn(http.server, config.socket)
  const { tcpPort } = await gated.bind(newHandler, log)
  if (tasks.refusal === undefined) {
    const tasksIn = namespaceTasks({ metadata, snapshotters, runtime: tasks.runtime, mounts, sandboxes })
    starting.use(
      new RestartMonitor({
        metadata,
        containers: (namespace) => metadata.namespace(namespace).containers,
        tasks: (namespace) => tasksIn({ namespace, isTenants: isSealed(namespace) }),
        isSealed,
        interval: config.restartInterval,
        log,
      }),
    )
  }
  const metrics = new ServerMetrics({
    ...{ counts, tasks, log },
    listNamespaces: () => metadata.namespaces.list(),
  })
  // Its terminals end before the calls that they are made of are refused.
  starting.use(page)
  await page.bind({ files: pageFiles, address, state, metrics: () => metrics.text(), newHandler, log })
  const listener =
    metricsAddress === undefined
      ? undefined
      : starting.use(await openMetricsListener(metricsAddress, () => metrics.text(), log))
  await dataRoot.announce({ address, temporary: config.state === undefined })
  const { tenantsAddress } = config
  const { address: webAddress } = page
  log.info(
    {
      ...{ address, tenantsAddress, tcpPort, webAddress, metricsAddress: listener?.address },
      ...{ root, state, pid: process.pid },
    },
    'serving',
  )

  const resources = starting.move()
  let disposing: Promise<void> | undefined
  return {
    address,
    tcpPort,
    metricsAddress: listener?.address,
    webAddress,
    metadata,
    async reload(next) {
      await gated.reload()
      if (next !== undefined) hostsDir = next.hostsDir
    },
    metrics: () => metrics.text(),
    unused: (options) => connections.none(options),
    [Symbol.asyncDispose]() {
      disposing ??= resources.disposeAsync()
      return disposing
    },
  }
}

const silent = pino({ level: 'silent' })
