import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Code, createClient, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import type { Digest } from '@nsbox/oci'
import { type Registry, startRegistry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callAny, outcomeOf } from '../testing/call-any.ts'
import { everyString } from '../testing/every-string.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { operatorView } from '../testing/operator-view.ts'
import { servedMethods } from '../testing/served-methods.ts'
import { type Attempt, descriptor } from '../testing/tenant-attempts/attempt.ts'
import { containerAttempts } from '../testing/tenant-attempts/container-attempts.ts'
import { storeAttempts } from '../testing/tenant-attempts/store-attempts.ts'
import {
  importImage,
  kept,
  makeContainer,
  openTenantLab,
  type Party,
  specOf,
  type TenantLab,
} from '../testing/tenant-lab.ts'

const { PermissionDenied, FailedPrecondition } = Code
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
    // What an import leaves that no image names is not to go in the middle of a test.
    await lab.host.client.disk.collect()
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
    const targets = { lab, sentinel, blob, ownBlob, chainId, registry: registry.host }
    attempts = { ...storeAttempts(targets), ...containerAttempts(targets) }
  }, 120_000)
  afterAll(() => resources.disposeAsync())

  async function put({ client, namespace }: Party, text: string): Promise<Digest> {
    const bytes = Buffer.from(text)
    await using writer = await client.content.writer({ ref: `put-${namespace}` })
    await writer.write(bytes)
    const { digest } = await writer.commit({ labels: { 'containerd.io/gc.root': 'true', of: secret } })
    return digest
  }

  const everything = () => operatorView(operator, { tenant: lab.b.namespace, directory: sentinel })

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
          const outcome = await callAny(grpc, method, request, namespace, waits && isOpen(name))
          if (isOpen(name)) {
            expect(outcome.bytes, name).not.toContain(secret)
            continue
          }
          expect([name, outcome.code, outcome.text]).toEqual([name, PermissionDenied, outcome.text])
          texts.add(outcome.text.replaceAll(namespace, 'NAME'))
        }
        if (isOpen(name) || method.methodKind !== 'unary') continue
        const outcome = await callAny(json, method, own, namespace)
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
      const { code } = await callAny(grpc, method, attempts[name]!.own, undefined)
      expect([FailedPrecondition, PermissionDenied], name).toContain(code)
    }
  })

  test('F01, F02 finds nothing of another by its names, and changes nothing', async () => {
    const before = await everything()
    for (const [name, method] of methods) {
      const { foreign } = attempts[name]!
      if (foreign === undefined) continue
      const outcome = await callAny(grpc, method, foreign.request, lab.b.namespace, attempts[name]!.waits)
      expect(foreign.codes, `${name}: ${outcome.text}`).toContain(outcome.code)
      expect(outcome.bytes, name).not.toContain(secret)
    }
    expect(await everything()).toEqual(before)
  }, 120_000)

  test('F03 reaches nothing of the host by what is a path to it', async () => {
    const before = await everything()
    for (const [name, method] of methods) {
      for (const request of attempts[name]!.host ?? []) {
        const outcome = await callAny(grpc, method, request, lab.b.namespace)
        expect([name, outcome.code, outcome.text]).toEqual([name, PermissionDenied, outcome.text])
      }
      for (const request of attempts[name]!.reached ?? []) {
        const outcome = await callAny(grpc, method, request, lab.b.namespace)
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
          const outcome = await callAny(grpc, method, request, lab.b.namespace, waits)
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
})
