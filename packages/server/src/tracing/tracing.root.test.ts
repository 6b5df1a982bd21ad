import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, createContextValues, type UnaryRequest } from '@connectrpc/connect'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { type Client, connect } from '@nsbox/client'
import {
  buildImage,
  busyboxLayer,
  pushImage,
  removeCgroup,
  scratchMount,
  startRegistry,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { context, propagation, trace } from '@opentelemetry/api'
import { node, tracing } from '@opentelemetry/sdk-node'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nobody } from '../access/access.ts'
import { accessKey, headersKey } from '../rpc/call-access.ts'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { openTelemetry } from './open-telemetry.ts'

const namespace = 'traces'
const callersTrace = '0af7651916cd43dd8448eb211c80319c'
const callersSpan = 'b7ad6b7169203331'

// A sleep that is restored ends at once: its system call is interrupted.
const sleeping = ['sh', '-c', 'while :; do sleep 1; done']

type Spans = readonly tracing.ReadableSpan[]

const named = (spans: Spans, name: string) => spans.filter((span) => span.name === name)

function one(spans: Spans, name: string): tracing.ReadableSpan {
  const [span, ...others] = named(spans, name)
  expect(others, name).toEqual([])
  return span!
}

function childrenOf(spans: Spans, span: tracing.ReadableSpan): string[] {
  const { spanId } = span.spanContext()
  return spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId).map(({ name }) => name)
}

/** Runs a task with an exec, checkpoints it, and restores the checkpoint. */
async function runTasks(client: Client, image: string): Promise<void> {
  await client.create({ image, id: 'box', args: sleeping })
  await using task = await client.container('box').createTask()
  await task.start()
  await using exec = await task.exec({ execId: 'more', args: sleeping })
  await exec.start()
  await exec.kill('SIGKILL')
  await exec.finished()
  await exec.delete()
  await client.container('box').checkpoint('cp:box', { exit: true })
  await task.finished()
  await task.delete()
  await using restored = await client.restore('again', 'cp:box', { trusted: true })
  await restored.start()
  await restored.kill('SIGKILL')
  await restored.finished()
  await restored.delete()
}

/** The attributes of each span, by the table of the document. */
async function documented(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await readFile(join(import.meta.dirname, '../../../../docs/tracing.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| [^|]+ \|$/gm)]
  return new Map(
    rows.map(([, name, names]) => [
      name!,
      [...names!.matchAll(/`([^`]+)`/g)].map(([, attribute]) => attribute!),
    ]),
  )
}

describeWith(
  { root: true, linux: true, programs: ['criu', 'docker-registry', 'runc', 'skopeo'] },
  'a server with an SDK of OpenTelemetry',
  () => {
    const resources = new AsyncDisposableStack()
    const exporter = new tracing.InMemorySpanExporter()
    let server: Server
    let registry: string
    let reference: string
    let pulled: Spans
    let failed: Spans
    let ran: Spans
    let called: Spans

    beforeAll(async () => {
      const provider = new node.NodeTracerProvider({
        spanProcessors: [new tracing.SimpleSpanProcessor(exporter)],
      })
      provider.register()
      resources.defer(async () => {
        await provider.shutdown()
        for (const api of [trace, context, propagation]) api.disable()
      })
      const directory = resources.use(await scratchMount()).path
      const served = resources.use(await startRegistry())
      registry = served.host
      const image = await buildImage(join(directory, 'image'), {
        layers: [await busyboxLayer(), await busyboxLayer()],
      })
      await pushImage(image, served, 'box:1')
      reference = `${registry}/box:1`
      resources.defer(() => removeCgroup(namespace))
      server = resources.use(
        await startServer({
          root: join(directory, 'root'),
          state: join(directory, 'state'),
          durability: 'relaxed',
        }),
      )
      const client = resources.use(connect({ address: server.address, namespace }))
      resources.defer(async () => {
        for (const { containerId } of await client.tasks.list()) {
          await client.tasks.kill(containerId, 9).catch(() => undefined)
          await client.tasks.wait(containerId)
          await client.tasks.delete(containerId)
        }
      })
      const { transport } = resources.use(socketTransport(server.address))
      const during = async (work: () => Promise<unknown>) => {
        exporter.reset()
        await work()
        return exporter.getFinishedSpans()
      }
      pulled = await during(() => client.pull(reference, { unpack: {} }))
      failed = await during(() => client.pull(`${registry}/missing:1`).catch(() => undefined))
      ran = await during(() => runTasks(client, reference))
      called = await during(async () => {
        const headers = {
          traceparent: `00-${callersTrace}-${callersSpan}-01`,
          'containerd-namespace': namespace,
        }
        await createClient(Version, transport).version({}, { headers })
        const long = { 'containerd-namespace': 'x'.repeat(4000) }
        const listing = createClient(Images, transport).list({}, { headers: long })
        await listing.catch(() => undefined)
      })
    }, 120_000)
    afterAll(() => resources.disposeAsync())

    test('has the spans of a pull below the call that has asked for it', async () => {
      const call = one(pulled, 'containerd.services.transfer.v1.Transfer/Transfer')
      expect(childrenOf(pulled, call)).toEqual(['nsbox.transfer'])
      expect(childrenOf(pulled, one(pulled, 'nsbox.transfer'))).toEqual(['nsbox.pull'])
      const parts = childrenOf(pulled, one(pulled, 'nsbox.pull'))
      expect(parts.filter((name) => name === 'nsbox.resolve')).toHaveLength(1)
      for (const stage of ['prepare', 'apply', 'commit'])
        expect(named(pulled, `nsbox.unpack.${stage}`).length, stage).toBeGreaterThanOrEqual(1)
      expect(one(pulled, 'nsbox.pull').attributes).toEqual({
        'nsbox.namespace': namespace,
        'nsbox.registry': registry,
        'nsbox.reference': reference,
      })
      const fetched = named(pulled, 'nsbox.fetch').map(({ attributes }) => attributes['nsbox.digest'])
      const applied = named(pulled, 'nsbox.unpack.apply').map(({ attributes }) => attributes['nsbox.digest'])
      expect(fetched).toEqual(expect.arrayContaining(applied))
      const traceIds = [call, ...named(pulled, 'nsbox.fetch'), ...named(pulled, 'nsbox.unpack.commit')]
      expect(new Set(traceIds.map((span) => span.spanContext().traceId)).size).toBe(1)
    })

    test('has the error of a pull that fails, and ends its spans', async () => {
      for (const name of ['nsbox.transfer', 'nsbox.pull', 'nsbox.resolve']) {
        expect(one(failed, name).status.code, name).toBe(2)
        expect(one(failed, name).attributes['error.type']).toBe('NotFound')
      }
      const call = one(failed, 'containerd.services.transfer.v1.Transfer/Transfer')
      expect(call.attributes['rpc.grpc.status_code']).toBe(5)
      // It is the client's error.
      expect(call.status.code).toBe(0)
    })

    test('has the spans of a task, its execs and its checkpoint', async () => {
      const of = (name: string) => named(ran, name).map(({ attributes }) => attributes)
      expect(of('nsbox.task.start')).toContainEqual({
        'nsbox.namespace': namespace,
        'nsbox.container': 'box',
        'nsbox.pid': expect.any(Number),
      })
      expect(of('nsbox.task.exec')).toEqual([
        { 'nsbox.namespace': namespace, 'nsbox.container': 'box', 'nsbox.exec': 'more' },
      ])
      expect(of('nsbox.task.delete').map((attributes) => attributes['nsbox.exec'])).toContain('more')
      const create = named(ran, 'containerd.services.tasks.v1.Tasks/Create')[0]!
      expect(childrenOf(ran, create)).toContain('nsbox.task.create')
      expect(of('nsbox.diff.compare')).toMatchObject([{ 'nsbox.digest': expect.stringMatching(/^sha256:/) }])
      expect(of('nsbox.diff.apply')).toHaveLength(1)
      expect(of('nsbox.task.checkpoint')).toHaveLength(1)
    })

    test('continues the trace of a caller', async () => {
      const span = one(called, 'containerd.services.version.v1.Version/Version')
      expect(span.spanContext().traceId).toBe(callersTrace)
      expect(span.parentSpanContext).toMatchObject({ spanId: callersSpan, isRemote: true })
      expect(span.kind).toBe(1)
      expect(span.attributes).toEqual({
        'rpc.system': 'grpc',
        'rpc.service': 'containerd.services.version.v1.Version',
        'rpc.method': 'Version',
        'rpc.grpc.status_code': 0,
        'nsbox.namespace': namespace,
      })
    })

    test('F06 begins a trace of its own for a tenant', async () => {
      const contextValues = createContextValues()
      contextValues.set(accessKey, { ...nobody, peer: 'tenant' })
      contextValues.set(headersKey, { traceparent: `00-${callersTrace}-${callersSpan}-01` })
      const call = {
        service: Version,
        method: Version.method.version,
        contextValues,
      } as unknown as UnaryRequest
      exporter.reset()
      ;(await openTelemetry())!.callSpans.begin(call).end()
      const [span] = exporter.getFinishedSpans()
      expect(span!.parentSpanContext).toBeUndefined()
      expect(span!.spanContext().traceId).not.toBe(callersTrace)
      expect(span!.attributes['nsbox.peer']).toBe('tenant')
    })

    test('D24 texts from outside are bounded', async () => {
      const shown = one(called, 'containerd.services.images.v1.Images/List').attributes['nsbox.namespace']
      expect(shown).toBe(`${'x'.repeat(255)}…`)
    })

    test('has the spans and attributes that are documented, and no others', async () => {
      const table = await documented()
      const found = new Map<string, Set<string>>()
      for (const { name, attributes } of [pulled, failed, ran, called].flat()) {
        const key = name.includes('/') ? 'SERVICE/METHOD' : name
        const names = found.get(key) ?? new Set()
        for (const attribute of Object.keys(attributes)) if (attribute !== 'error.type') names.add(attribute)
        found.set(key, names)
      }
      expect([...found.keys()].sort()).toEqual([...table.keys()].sort())
      for (const [name, names] of found) {
        const known = table.get(name)!
        expect(
          [...names].filter((attribute) => !known.includes(attribute)),
          name,
        ).toEqual([])
        // The server's own socket has no peers.
        expect(
          known.filter((attribute) => !names.has(attribute)),
          name,
        ).toEqual(name === 'SERVICE/METHOD' ? ['nsbox.peer'] : [])
      }
    })
  },
)
