import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type DescMethod,
  type DescMethodUnary,
  type Message,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf'
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { anyRegistry, packAny } from '@nsbox/api'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { Content, WriteAction } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Store } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { StreamInitSchema } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import { OCIRegistrySchema } from '@nsbox/api/gen/types/transfer/registry_pb'
import { type Digest, digestOf, mediaTypes } from '@nsbox/oci'
import { type Registry, readTree, startRegistry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { everyString } from '../testing/every-string.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { servedMethods } from '../testing/served-methods.ts'
import {
  importImage,
  kept,
  makeContainer,
  openTenantLab,
  type Party,
  specOf,
  type TenantLab,
} from '../testing/tenant-lab.ts'

type Request = Record<string, unknown>

/** What one tenant tries with a method. Requests are what `create` takes. */
interface Attempt {
  /** As it would be made for what the tenant has itself. */
  readonly own: Request
  /** Naming what the other tenant has, in the tenant's own namespace: not there, or the tenant's own then. */
  readonly foreign?: { readonly request: Request; readonly codes: readonly (Code | 'ok')[] }
  /** Naming what the host has: refused as not permitted. */
  readonly host?: readonly Request[]
  /** The same, refused where it is about to be reached. */
  readonly reached?: readonly Request[]
  /** Gets no answer of itself. */
  readonly waits?: boolean
}

const { NotFound, PermissionDenied, FailedPrecondition } = Code
const absent = [NotFound]
const needed = { root: true, linux: true, programs: ['runc', 'busybox', 'docker-registry'] } as const

describeWith(needed, 'one tenant, by every method of every service,', () => {
  const resources = new AsyncDisposableStack()
  const methods = servedMethods()
  const secret = 'secret-of-a'
  let lab: TenantLab
  let registry: Registry
  let sentinel: string
  let grpc: Transport
  let operator: Transport
  let blob: Digest
  let ownBlob: Digest
  let chainId: Digest
  let attempts: Readonly<Record<string, Attempt>>
  /** The names of all that the other tenant has. */
  let names: readonly string[]

  const transportTo = (address: string) => {
    const opened = socketTransport(address)
    resources.defer(() => opened[Symbol.dispose]())
    return opened.transport
  }

  beforeAll(async () => {
    lab = resources.use(await openTenantLab('nsbox-two-tenants'))
    registry = resources.use(await startRegistry())
    sentinel = join(lab.directory, 'sentinel')
    await mkdir(sentinel)
    await writeFile(join(sentinel, 'file'), 'of the host')
    grpc = transportTo(lab.b.address)
    operator = transportTo(lab.server.address)
    for (const party of [lab.host, lab.a, lab.b]) {
      chainId = await importImage(lab, party)
      const id = `one-of-${party.namespace}`
      await makeContainer(party, id, chainId, ['sleep', '1000'])
      await party.client.tasks.create(id)
      await party.client.tasks.start(id)
      await party.client.leases.create({ id: `lease-of-${party.namespace}`, labels: { of: secret } })
      const { sandboxes } = lab.server.metadata.namespace(party.namespace)
      await sandboxes.create({ id: `sandbox-of-${party.namespace}`, labels: { of: secret } })
    }
    blob = await put(lab.a, 'only the first tenant has this')
    ownBlob = await put(lab.b, 'only the second tenant has this')
    await put(lab.host, 'only the host has this')
    for (const party of [lab.a, lab.b]) {
      await using writer = await party.client.content.writer({ ref: `ingest-of-${party.namespace}` })
      await writer.write(Buffer.from(secret))
    }
    const a = lab.a.namespace
    await lab.a.client.images.create({
      name: `image-of-${a}`,
      target: descriptor(blob),
      labels: { of: secret },
    })
    names = [
      `one-of-${a}`,
      `lease-of-${a}`,
      `sandbox-of-${a}`,
      `ingest-of-${a}`,
      `image-of-${a}`,
      blob,
      chainId,
      a,
      lab.host.namespace,
    ]
    attempts = attemptsOf()
  }, 120_000)
  afterAll(() => resources.disposeAsync())

  async function put({ client, namespace }: Party, text: string): Promise<Digest> {
    const bytes = Buffer.from(text)
    await using writer = await client.content.writer({ ref: `put-${namespace}` })
    await writer.write(bytes)
    const { digest } = await writer.commit({ labels: { 'containerd.io/gc.root': 'true', of: secret } })
    return digest
  }

  function descriptor(digest: Digest) {
    return { mediaType: mediaTypes.ociManifest, digest, size: 30 }
  }

  test('F01 there is an attempt for each', () => {
    expect([...methods.keys()].filter((name) => attempts[name] === undefined)).toEqual([])
    expect(Object.keys(attempts).filter((name) => !methods.has(name))).toEqual([])
  })

  test('F01 gets nothing in the namespace of another, or in one that does not exist', async () => {
    const before = await everything()
    const json = createConnectTransport({
      baseUrl: 'http://localhost',
      httpVersion: '1.1',
      nodeOptions: { socketPath: lab.b.address },
    })
    for (const [name, method] of methods) {
      const { own, foreign, host = [], waits } = attempts[name]!
      const texts = new Set<string>()
      for (const namespace of [lab.a.namespace, lab.host.namespace, 'nobodys']) {
        for (const request of [own, ...(foreign ? [foreign.request] : []), ...host]) {
          const outcome = await call(grpc, method, request, namespace, waits && isOpen(name))
          if (isOpen(name)) {
            expect(outcome.bytes, name).not.toContain(secret)
            continue
          }
          expect([name, outcome.code, outcome.text]).toEqual([name, PermissionDenied, outcome.text])
          texts.add(outcome.text.replaceAll(namespace, 'NAME'))
        }
        if (isOpen(name) || method.methodKind !== 'unary') continue
        const outcome = await call(json, method, own, namespace)
        expect([name, outcome.code]).toEqual([name, PermissionDenied])
      }
      // The texts are the same whether the resource exists or not.
      expect(texts.size, name).toBeLessThanOrEqual(1)
    }
    expect(await everything()).toEqual(before)
  }, 120_000)

  test('F01 gets nothing without a namespace', async () => {
    for (const [name, method] of methods) {
      if (isOpen(name)) continue
      const { code } = await call(grpc, method, attempts[name]!.own, undefined)
      expect([FailedPrecondition, PermissionDenied], name).toContain(code)
    }
  })

  test('F01, F02 finds nothing of another by its names, and changes nothing', async () => {
    const before = await everything()
    for (const [name, method] of methods) {
      const { foreign } = attempts[name]!
      if (foreign === undefined) continue
      const outcome = await call(grpc, method, foreign.request, lab.b.namespace, attempts[name]!.waits)
      expect(foreign.codes, `${name}: ${outcome.text}`).toContain(outcome.code)
      expect(outcome.bytes, name).not.toContain(secret)
    }
    expect(await everything()).toEqual(before)
  }, 120_000)

  test('F03 reaches nothing of the host by what is a path to it', async () => {
    const before = await everything()
    for (const [name, method] of methods) {
      for (const request of attempts[name]!.host ?? []) {
        const outcome = await call(grpc, method, request, lab.b.namespace)
        expect([name, outcome.code, outcome.text]).toEqual([name, PermissionDenied, outcome.text])
      }
      for (const request of attempts[name]!.reached ?? []) {
        const outcome = await call(grpc, method, request, lab.b.namespace)
        expect([name, outcome.code, outcome.text]).toEqual([name, FailedPrecondition, outcome.text])
      }
    }
    expect(await everything()).toEqual(before)
  }, 120_000)

  test('F01, F03 reaches nothing by any text in any field', async () => {
    const before = await everything()
    const paths = ['file', '.', 'made'].map((name) => join(sentinel, name))
    const odd = [
      ...paths,
      `file://${sentinel}/log`,
      `binary://${sentinel}/file`,
      '../../../../etc',
      '/proc/1/root',
    ]
    const changed = new Map<string, number>()
    for (const [name, method] of methods) {
      const { own, waits } = attempts[name]!
      for (const text of [...odd, ...names]) {
        for (const { request } of everyString(method.input, own, text)) {
          const outcome = await call(grpc, method, request, lab.b.namespace, waits)
          const answer = outcome.bytes + outcome.text
          for (const marker of [join(lab.directory, 'root'), join(lab.directory, 'state'), 'of the host'])
            expect(answer, `${name} ${JSON.stringify(text)}`).not.toContain(marker)
          changed.set(name, (changed.get(name) ?? 0) + 1)
        }
      }
    }
    expect(await everything()).toEqual(before)
    expect([...changed.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2000)
  }, 400_000)

  test('F01 gets to know of its own events alone, and of no path of the host', async () => {
    const stop = new AbortController()
    const seen: { namespace: string; event: object }[] = []
    const watching = (async () => {
      for await (const envelope of lab.b.client.events.subscribe([], { signal: stop.signal }))
        seen.push(envelope)
    })().catch(() => undefined)
    await expect
      .poll(async () => {
        await lab.b.client.leases.create()
        await lab.b.client.images.create({ name: 'seen', target: descriptor(ownBlob) }).catch(() => undefined)
        await lab.b.client.images.delete('seen').catch(() => undefined)
        return seen.length
      })
      .toBeGreaterThan(0)
    for (const party of [lab.host, lab.a, lab.b]) {
      await makeContainer(party, 'told', chainId, ['true'])
      await party.client.tasks.create('told')
      await party.client.tasks.start('told')
      await party.client.tasks.wait('told')
      await party.client.tasks.delete('told')
      await party.client.containers.delete('told')
    }
    await expect.poll(() => JSON.stringify(seen)).toContain('/containers/delete')
    stop.abort()
    await watching
    expect(new Set(seen.map(({ namespace }) => namespace))).toEqual(new Set([lab.b.namespace]))
    expect(JSON.stringify(seen)).toContain('/tasks/create')
    expect(JSON.stringify(seen)).not.toContain(lab.directory)
  }, 60_000)

  test('F03 cannot use a container to which its operator has given more', async () => {
    const id = 'given-more'
    const { client, namespace } = lab.b
    const admin = lab.host.client.withNamespace(namespace)
    await client.snapshotter().prepare(id, chainId, kept)
    const spec = specOf(namespace, id, ['sleep', '1000'], (given) => ({
      ...given,
      mounts: [...given.mounts!, { destination: '/host', type: 'bind', source: '/', options: ['rbind'] }],
    }))
    const container = { id, snapshotter: 'overlayfs', snapshotKey: id, spec }
    await admin.containers.create({ ...container, runtime: { name: 'io.containerd.runc.v2' } })
    const codeOf = async (work: Promise<unknown>) => (await outcomeOf(() => work)).code
    const tasks = createClient(Tasks, grpc)
    const headers = { 'containerd-namespace': namespace }
    expect(await codeOf(tasks.create({ containerId: id }, { headers }))).toBe(PermissionDenied)
    await admin.tasks.create(id)
    await admin.tasks.start(id)
    const { spec: process } = attempts['containerd.services.tasks.v1.Tasks/Exec']!.own as { spec: object }
    const exec = { containerId: id, execId: 'x', spec: process }
    expect(await codeOf(tasks.exec(exec, { headers }))).toBe(PermissionDenied)
    // Nor by another container with the name of the task.
    const containers = createClient(Containers, grpc)
    expect(await codeOf(containers.delete({ id }, { headers }))).toBe(FailedPrecondition)
    const harmless = { id, spec: specOf(namespace, id, ['true']) }
    const update = { container: harmless, updateMask: { paths: ['spec'] } }
    expect(await codeOf(containers.update(update, { headers }))).toBe(FailedPrecondition)
    expect(await codeOf(tasks.exec(exec, { headers }))).toBe(PermissionDenied)
    await admin.tasks.kill(id, 9)
    await admin.tasks.wait(id)
    await admin.tasks.delete(id)
    await admin.containers.delete(id)
  }, 60_000)

  const isOpen = (name: string) =>
    /\/(?:Version|Check|Watch|Plugins|Server|Subscribe)$/.test(name) || /Namespaces\/(?:Get|List)$/.test(name)

  function attemptsOf(): Record<string, Attempt> {
    const [a, b] = [lab.a.namespace, lab.b.namespace]
    const [theirs, mine] = [`one-of-${a}`, `one-of-${b}`]
    const runtime = { name: 'io.containerd.runc.v2' }
    const spec = specOf(b, mine, ['true'])
    const container = { id: mine, runtime, spec, snapshotter: 'overlayfs', snapshotKey: mine }
    const logged = { 'containerd.io/restart.loguri': `binary://${sentinel}/file` }
    const hooks = specOf(b, mine, ['true'], (given) => ({
      ...given,
      hooks: { prestart: [{ path: '/bin/true' }] },
    }))
    const privileged = specOf(b, mine, ['true'], (given) => ({
      ...given,
      linux: { ...given.linux, namespaces: [] },
    }))
    const options = packAny(OptionsSchema, { binaryName: join(sentinel, 'file') })
    const rootfs = [{ type: 'bind', source: sentinel, options: ['rbind', 'rw'] }]
    const process = {
      typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
      value: Buffer.from(JSON.stringify({ args: ['true'], cwd: '/', noNewPrivileges: true })),
    }
    const image = (name: string) => packAny(ImageStoreSchema, { name })
    const from = (reference: string, resolver: object = {}) =>
      packAny(OCIRegistrySchema, { reference, resolver })
    const snapshot = (key: string) => [
      { type: 'nsbox.snapshot', source: key, options: ['snapshotter=overlayfs'] },
    ]
    const services = 'containerd.services'
    const never = (own: Request): Attempt => ({ own, foreign: { request: own, codes: [PermissionDenied] } })
    const task = (method: string, more: Request = {}): [string, Attempt] => [
      `${services}.tasks.v1.Tasks/${method}`,
      {
        own: { containerId: mine, execId: 'none', ...more },
        foreign: { request: { containerId: theirs, ...more }, codes: absent },
      },
    ]
    const content = (method: string, own: Request, request: Request, codes: Attempt['foreign'] = undefined) =>
      [
        `${services}.content.v1.Content/${method}`,
        { own, foreign: codes ?? { request, codes: absent } },
      ] as const
    return {
      [`${services}.version.v1.Version/Version`]: { own: {} },
      'grpc.health.v1.Health/Check': { own: {} },
      'grpc.health.v1.Health/Watch': { own: {}, waits: true },
      [`${services}.introspection.v1.Introspection/Plugins`]: { own: {} },
      [`${services}.introspection.v1.Introspection/Server`]: { own: {} },
      [`${services}.introspection.v1.Introspection/PluginInfo`]: never({
        type: 'io.containerd.runtime.v2',
        id: 'task',
      }),
      [`${services}.namespaces.v1.Namespaces/Get`]: {
        own: { name: b },
        foreign: { request: { name: a }, codes: [PermissionDenied] },
        host: [{ name: lab.host.namespace }, { name: 'nobodys' }],
      },
      [`${services}.namespaces.v1.Namespaces/List`]: { own: {} },
      [`${services}.namespaces.v1.Namespaces/Create`]: never({ namespace: { name: 'made' } }),
      [`${services}.namespaces.v1.Namespaces/Update`]: never({ namespace: { name: b, labels: { x: 'y' } } }),
      [`${services}.namespaces.v1.Namespaces/Delete`]: never({ name: a }),
      ...Object.fromEntries([
        content('Info', { digest: ownBlob }, { digest: blob }),
        content('Update', { info: { digest: ownBlob } }, { info: { digest: blob, labels: { x: 'y' } } }),
        content('List', {}, {}, { request: { filters: [`digest==${blob}`] }, codes: ['ok'] }),
        content('Delete', { digest: digestOf(Buffer.from('none')) }, { digest: blob }),
        content('Read', { digest: ownBlob }, { digest: blob }),
        content('Status', { ref: `ingest-of-${b}` }, { ref: `ingest-of-${a}` }),
        content('ListStatuses', {}, {}, { request: { filters: [`ref==ingest-of-${a}`] }, codes: ['ok'] }),
        // By its digest alone the bytes of another are not had.
        content(
          'Write',
          { action: WriteAction.STAT, ref: `ingest-of-${b}` },
          {},
          {
            request: { action: WriteAction.COMMIT, ref: 'theirs', total: 30n, expected: blob },
            codes: [FailedPrecondition],
          },
        ),
        content('Abort', { ref: 'none' }, { ref: `ingest-of-${a}` }),
      ]),
      [`${services}.images.v1.Images/Get`]: {
        own: { name: lab.image },
        foreign: { request: { name: `image-of-${a}` }, codes: absent },
      },
      [`${services}.images.v1.Images/List`]: { own: {} },
      [`${services}.images.v1.Images/Create`]: {
        own: { image: { name: 'mine', target: { ...descriptor(ownBlob), size: 30n } } },
        foreign: {
          request: { image: { name: 'stolen', target: { ...descriptor(blob), size: 30n } } },
          codes: ['ok'],
        },
      },
      [`${services}.images.v1.Images/Update`]: {
        own: { image: { name: lab.image }, updateMask: { paths: ['labels'] } },
        foreign: {
          request: { image: { name: `image-of-${a}` }, updateMask: { paths: ['labels'] } },
          codes: absent,
        },
      },
      [`${services}.images.v1.Images/Delete`]: {
        own: { name: 'none' },
        foreign: { request: { name: `image-of-${a}` }, codes: absent },
      },
      ...Object.fromEntries(
        [...['Create', 'Start', 'Platform', 'Stop', 'Wait', 'Status', 'Shutdown', 'Metrics', 'Update']].map(
          (method) => [
            `${services}.sandbox.v1.Controller/${method}`,
            never({ sandboxId: `sandbox-of-${a}` }),
          ],
        ),
      ),
      [`${services}.mounts.v1.Mounts/Activate`]: never({ name: 'x', mounts: rootfs, temporary: true }),
      [`${services}.mounts.v1.Mounts/Deactivate`]: never({ name: 'x' }),
      [`${services}.mounts.v1.Mounts/Info`]: never({ name: 'x' }),
      [`${services}.mounts.v1.Mounts/Update`]: never({ info: { name: 'x' } }),
      [`${services}.mounts.v1.Mounts/List`]: never({}),
      [`${services}.sandbox.v1.Store/Get`]: {
        own: { sandboxId: `sandbox-of-${b}` },
        foreign: { request: { sandboxId: 'sandbox-of-nobody' }, codes: absent },
      },
      [`${services}.sandbox.v1.Store/List`]: { own: {} },
      [`${services}.sandbox.v1.Store/Create`]: {
        own: { sandbox: { sandboxId: 'mine', runtime } },
        foreign: { request: { sandbox: { sandboxId: `sandbox-of-${a}`, runtime } }, codes: ['ok'] },
      },
      [`${services}.sandbox.v1.Store/Update`]: {
        own: { sandbox: { sandboxId: `sandbox-of-${b}` }, fields: ['labels'] },
        foreign: {
          request: { sandbox: { sandboxId: 'sandbox-of-nobody' }, fields: ['labels'] },
          codes: absent,
        },
      },
      [`${services}.sandbox.v1.Store/Delete`]: {
        own: { sandboxId: 'none' },
        foreign: { request: { sandboxId: 'sandbox-of-nobody' }, codes: absent },
      },
      [`${services}.leases.v1.Leases/Create`]: {
        own: { id: 'mine' },
        foreign: { request: { id: `lease-of-${a}` }, codes: ['ok'] },
      },
      [`${services}.leases.v1.Leases/List`]: { own: {} },
      [`${services}.leases.v1.Leases/ListResources`]: {
        own: { id: `lease-of-${b}` },
        foreign: { request: { id: 'lease-of-nobody' }, codes: absent },
      },
      [`${services}.leases.v1.Leases/AddResource`]: {
        own: { id: `lease-of-${b}`, resource: { id: ownBlob, type: 'content' } },
        foreign: {
          request: { id: `lease-of-${b}`, resource: { id: blob, type: 'content' } },
          codes: ['ok', NotFound],
        },
      },
      [`${services}.leases.v1.Leases/DeleteResource`]: {
        own: { id: `lease-of-${b}`, resource: { id: 'none', type: 'ingests' } },
        foreign: {
          request: { id: `lease-of-${a}`, resource: { id: blob, type: 'content' } },
          codes: ['ok', NotFound],
        },
      },
      [`${services}.leases.v1.Leases/Delete`]: {
        own: { id: 'none', sync: true },
        foreign: { request: { id: `lease-of-${a}`, sync: true }, codes: ['ok'] },
      },
      [`${services}.containers.v1.Containers/Get`]: {
        own: { id: mine },
        foreign: { request: { id: theirs }, codes: absent },
      },
      [`${services}.containers.v1.Containers/List`]: { own: {} },
      [`${services}.containers.v1.Containers/ListStream`]: { own: {} },
      [`${services}.containers.v1.Containers/Create`]: {
        own: { container },
        foreign: { request: { container: { ...container, id: theirs } }, codes: [PermissionDenied] },
        host: [
          { container: { ...container, id: 'c1', spec: hooks } },
          { container: { ...container, id: 'c2', spec: privileged } },
          { container: { ...container, runtime: { name: '/bin/sh' } } },
          { container: { ...container, runtime: { ...runtime, options } } },
          { container: { ...container, id: 'c3', labels: logged } },
        ],
      },
      [`${services}.containers.v1.Containers/Update`]: {
        own: { container: { id: mine }, updateMask: { paths: ['labels.x'] } },
        foreign: {
          request: { container: { id: theirs }, updateMask: { paths: ['labels.x'] } },
          codes: absent,
        },
        host: [
          { container: { ...container, spec: hooks }, updateMask: { paths: ['spec'] } },
          { container: { ...container, runtime: { ...runtime, options } } },
          { container: { id: mine, labels: logged }, updateMask: { paths: ['labels'] } },
        ],
      },
      [`${services}.containers.v1.Containers/Delete`]: {
        own: { id: 'none' },
        foreign: { request: { id: theirs }, codes: absent },
      },
      ...Object.fromEntries(
        (
          [
            ['Prepare', { key: 'p', parent: chainId }, { key: 'stolen', parent: theirs }],
            ['View', { key: 'v', parent: chainId }, { key: 'stolen', parent: theirs }],
            ['Mounts', { key: mine }, { key: theirs }],
            ['Commit', { name: 'x', key: 'none' }, { name: 'x', key: theirs }],
            ['Remove', { key: 'none' }, { key: theirs }],
            ['Stat', { key: chainId }, { key: theirs }],
            [
              'Update',
              { info: { name: mine, labels: { x: 'y' } } },
              { info: { name: theirs, labels: { x: 'y' } } },
            ],
            ['Usage', { key: mine }, { key: theirs }],
          ] as const
        ).map(([method, own, request]) => [
          `${services}.snapshots.v1.Snapshots/${method}`,
          { own, foreign: { request, codes: absent } },
        ]),
      ),
      [`${services}.snapshots.v1.Snapshots/List`]: { own: {} },
      [`${services}.snapshots.v1.Snapshots/Cleanup`]: never({}),
      [`${services}.diff.v1.Diff/Apply`]: {
        own: { diff: { ...descriptor(ownBlob), size: 30n }, mounts: snapshot('none') },
        foreign: {
          request: { diff: { ...descriptor(blob), size: 30n }, mounts: snapshot(theirs) },
          codes: absent,
        },
        host: [
          { diff: { ...descriptor(ownBlob), size: 30n }, mounts: rootfs },
          { diff: { ...descriptor(ownBlob), size: 30n }, mounts: [...snapshot(mine), ...rootfs] },
          {
            diff: { ...descriptor(ownBlob), size: 30n },
            mounts: [{ type: 'overlay', source: 'overlay', options: [`upperdir=${sentinel}`] }],
          },
        ],
      },
      [`${services}.diff.v1.Diff/Diff`]: {
        own: { left: snapshot('none'), right: snapshot(mine) },
        foreign: { request: { left: snapshot(theirs), right: snapshot(theirs) }, codes: absent },
        host: [
          { left: [], right: rootfs },
          { left: rootfs, right: snapshot(mine) },
        ],
      },
      [`${services}.tasks.v1.Tasks/Create`]: {
        own: { containerId: 'none' },
        foreign: { request: { containerId: theirs }, codes: absent },
        host: [
          { containerId: mine, rootfs },
          ...['stdin', 'stdout', 'stderr'].map((name) => ({
            containerId: mine,
            [name]: join(sentinel, 'file'),
          })),
          { containerId: mine, stdout: `file://${sentinel}/log` },
          { containerId: mine, stdout: `binary://${sentinel}/file` },
          { containerId: mine, runtimePath: '/bin/sh' },
          { containerId: mine, options },
          {
            containerId: mine,
            checkpoint: { mediaType: mediaTypes.checkpointCriu, digest: ownBlob, size: 30n },
          },
        ],
      },
      ...Object.fromEntries([
        task('Start'),
        task('Get'),
        task('Kill', { signal: 0 }),
        task('ResizePty', { width: 1, height: 1 }),
        task('CloseIO', { stdin: true }),
        task('Pause'),
        task('Resume'),
        task('ListPids'),
        task('DeleteProcess', { execId: 'none' }),
        task('Delete'),
      ]),
      [`${services}.tasks.v1.Tasks/List`]: { own: {} },
      [`${services}.tasks.v1.Tasks/Metrics`]: {
        own: {},
        foreign: { request: { filters: [`id==${theirs}`] }, codes: ['ok'] },
      },
      [`${services}.tasks.v1.Tasks/Wait`]: {
        own: { containerId: mine },
        foreign: { request: { containerId: theirs }, codes: absent },
        waits: true,
      },
      [`${services}.tasks.v1.Tasks/Exec`]: {
        own: { containerId: mine, execId: 'e', spec: process },
        foreign: { request: { containerId: theirs, execId: 'e', spec: process }, codes: absent },
        host: [
          ...['stdin', 'stdout', 'stderr'].map((name) => ({
            ...{ containerId: mine, execId: 'e', spec: process },
            [name]: join(sentinel, 'file'),
          })),
          {
            ...{ containerId: mine, execId: 'e' },
            spec: {
              ...process,
              value: Buffer.from(
                JSON.stringify({
                  ...{ args: ['true'], cwd: '/', noNewPrivileges: true },
                  capabilities: { bounding: ['CAP_SYS_ADMIN'] },
                }),
              ),
            },
          },
        ],
      },
      [`${services}.tasks.v1.Tasks/Update`]: {
        own: { containerId: mine },
        foreign: { request: { containerId: theirs }, codes: absent },
        host: [
          { containerId: mine, annotations: { 'org.criu.config': join(sentinel, 'file') } },
          {
            containerId: mine,
            resources: {
              typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources',
              value: Buffer.from(JSON.stringify({ devices: [{ allow: true, access: 'rwm' }] })),
            },
          },
        ],
      },
      [`${services}.tasks.v1.Tasks/Checkpoint`]: never({ containerId: mine }),
      'nsbox.tasks.v1.Processes/Kill': {
        own: { containerId: mine, pid: 2 ** 30, signal: 0 },
        foreign: { request: { containerId: theirs, pid: 1, signal: 0 }, codes: absent },
      },
      [`${services}.events.v1.Events/Publish`]: never({ topic: '/tasks/exit', event: { typeUrl: 'x' } }),
      [`${services}.events.v1.Events/Forward`]: never({ envelope: { namespace: a, topic: '/tasks/exit' } }),
      [`${services}.events.v1.Events/Subscribe`]: { own: {}, waits: true },
      [`${services}.streaming.v1.Streaming/Stream`]: {
        own: packAny(StreamInitSchema, { id: `stream-of-${b}` }),
        foreign: {
          request: packAny(StreamInitSchema, { id: 'stream' }),
          codes: ['ok', Code.DeadlineExceeded],
        },
        waits: true,
      },
      [`${services}.transfer.v1.Transfer/Transfer`]: {
        own: { source: image('none'), destination: image('other') },
        foreign: { request: { source: image(`image-of-${a}`), destination: image('stolen') }, codes: absent },
        reached: [
          { source: from(`${registry.host}/x:1`), destination: image('x') },
          { source: from('localhost:1/x:1'), destination: image('x') },
          { source: from('169.254.169.254/x:1'), destination: image('x') },
          { source: image(lab.image), destination: from(`${registry.host}/x:1`) },
        ],
        host: [{ source: from('example.com/x:1', { hostDir: sentinel }), destination: image('x') }],
      },
    }
  }

  /** All that the other tenant and the host have, as an operator sees it, and the files of the host. */
  async function everything(): Promise<string[]> {
    const lines: string[] = []
    const { namespaces } = await createClient(Namespaces, operator).list({})
    for (const { name, labels } of namespaces) {
      if (name === lab.b.namespace) continue
      lines.push(`namespace ${name} ${JSON.stringify(labels)}`)
      const headers = { 'containerd-namespace': name }
      const show = (method: DescMethod, answer: Message) => {
        lines.push(`${name} ${method.name} ${toJsonString(method.output, answer, { registry: anyRegistry })}`)
      }
      const leases = createClient(Leases, operator)
      for (const { id } of (await leases.list({}, { headers })).leases)
        show(Leases.method.listResources, await leases.listResources({ id }, { headers }))
      show(Leases.method.list, await leases.list({}, { headers }))
      show(Images.method.list, await createClient(Images, operator).list({}, { headers }))
      const content = createClient(Content, operator)
      for await (const part of content.list({}, { headers })) show(Content.method.list, part)
      show(Content.method.listStatuses, await content.listStatuses({}, { headers }))
      const containers = await createClient(Containers, operator).list({}, { headers })
      for (const { spec, ...container } of containers.containers) {
        const updatedAt = `${container.updatedAt?.seconds} ${container.updatedAt?.nanos}`
        const text = JSON.stringify({ ...container, createdAt: 0, updatedAt }, bigints)
        lines.push(`${name} container ${text} ${Buffer.from(spec!.value)}`)
      }
      const snapshots = createClient(Snapshots, operator)
      for (const snapshotter of ['overlayfs', 'native'])
        for await (const part of snapshots.list({ snapshotter }, { headers }))
          show(Snapshots.method.list, part)
      show(Store.method.list, await createClient(Store, operator).list({}, { headers }))
      show(Tasks.method.list, await createClient(Tasks, operator).list({}, { headers }))
    }
    for (const [path, entry] of await readTree(sentinel))
      lines.push(`${path} ${JSON.stringify(entry, bigints)}`)
    return lines
  }
})

const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

interface Outcome {
  readonly code: Code | 'ok'
  readonly text: string
  /** What came, as text. */
  readonly bytes: string
}

async function outcomeOf(work: () => Promise<unknown>, bytes: () => string = () => ''): Promise<Outcome> {
  try {
    await work()
    return { code: 'ok', text: '', bytes: bytes() }
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error)
    return { code, text: rawMessage, bytes: bytes() }
  }
}

/** Calls any method, with one request. */
async function call(
  transport: Transport,
  method: DescMethod,
  request: Request,
  namespace: string | undefined,
  waits = false,
): Promise<Outcome> {
  const headers = namespace === undefined ? {} : { 'containerd-namespace': namespace }
  const came: string[] = []
  const take = (message: Message) =>
    came.push(Buffer.from(toBinary(method.output, message)).toString('latin1'))
  const timeout = waits ? 100 : 20_000
  const work = async () => {
    if (method.methodKind === 'unary') {
      const unary = method as DescMethodUnary
      take((await transport.unary(unary, undefined, timeout, headers, request)).message)
      return
    }
    const { message } = await transport.stream(
      method as never,
      undefined,
      timeout,
      headers,
      (async function* () {
        yield request
      })() as never,
    )
    for await (const each of message) take(each)
  }
  return await outcomeOf(work, () => came.join(''))
}
