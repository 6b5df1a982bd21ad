import type { SnapshotInfo } from '@nsbox/core/snapshots'
import type { CredentialRequest, TransferProgress } from '@nsbox/core/transfer'
import { errorCode } from '@nsbox/errors'
import { chainIds, parseDigest } from '@nsbox/oci'
import {
  type BuiltImage,
  buildImage,
  type Certificate,
  type Containerd,
  filesLayer,
  makeCertificate,
  pushImage,
  type Registry,
  randomLayer,
  startContainerd,
  startFaultServer,
  startRegistry,
  startTlsFront,
  type TempDir,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, connect } from '../client.ts'
import { Rpc } from '../connection/rpc.ts'
import { Session } from '../connection/session.ts'
import { RemoteTransfer } from './remote-transfer.ts'

const resources = new AsyncDisposableStack()
const auth = { user: 'jo', password: 'secret' }
let containerd: Containerd
let registry: Registry
let guarded: Registry
let scratch: TempDir
let certificate: Certificate
let image: BuiltImage
/** Addresses of TLS in front of the registries. */
let host: string
let guardedHost: string
let namespaces = 0

beforeAll(async () => {
  scratch = resources.use(await tempDir('nsbox-transfer'))
  certificate = await makeCertificate(scratch.path)
  containerd = resources.use(await startContainerd({ env: { SSL_CERT_FILE: certificate.cert } }))
  registry = resources.use(await startRegistry())
  guarded = resources.use(await startRegistry({ auth }))
  host = resources.use(await startTlsFront(registry.host, certificate)).host
  guardedHost = resources.use(await startTlsFront(guarded.host, certificate)).host
  image = await buildImage(`${scratch.path}/image`, {
    layers: [filesLayer({ 'etc/name': 'small' }), randomLayer(1, 3_000_000)],
  })
})
afterAll(() => resources.disposeAsync())

/** Transfers over a session that can be looked into. */
async function servedTransfer(): Promise<{ session: Session; transfer: RemoteTransfer } & AsyncDisposable> {
  const session = new Session(containerd.address, { connectTimeout: 5000 })
  const transfer = new RemoteTransfer(new Rpc(session, { namespace: `transfer-${namespaces++}` }))
  return { session, transfer, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() }
}

function newClient(): Client {
  return connect({ address: containerd.address, namespace: `transfer-${namespaces++}` })
}

test('pulls an image with its progress', async () => {
  const { digest } = await pushImage(image, registry, 'pull/some:latest')
  const reference = `${host}/pull/some:latest`
  await using client = newClient()
  const steps: TransferProgress[] = []
  const pulled = await client.pull(reference, {
    name: 'some',
    labels: { from: 'here' },
    onProgress: (step) => void steps.push(step),
  })
  expect(pulled).toMatchObject({ name: 'some', target: { digest } })
  expect(pulled.labels.from).toBe('here')
  const [manifest] = image.manifests
  for (const { size } of [manifest?.config, ...(manifest?.layers ?? [])] as { size: number }[]) {
    // containerd looks at ingests now and then, and may miss the end of one.
    expect(steps).toContainEqual(expect.objectContaining({ total: size }))
  }
  expect(steps.find(({ event, name }) => event === 'saved' && name === 'some')).toBeDefined()
})

test.each([undefined, 'overlayfs'])('has an image unpacked by the snapshotter %s', async (named) => {
  await pushImage(image, registry, 'pull/unpacked:latest')
  await using client = newClient()
  const snapshotter = client.snapshotter(named ?? 'overlayfs')
  const platforms = named === undefined ? undefined : []
  await client.pull(`${host}/pull/unpacked:latest`, { unpack: { snapshotter: named }, platforms })
  const committed: SnapshotInfo[] = []
  for await (const info of snapshotter.list()) committed.push(info)
  const chain = chainIds(image.manifests[0]!.layers.map(({ diffId }) => parseDigest(diffId)))
  expect(committed.map(({ name }) => name).sort()).toEqual([...chain].sort())
  expect(await snapshotter.stat(chain.at(-1)!)).toMatchObject({ kind: 'committed', parent: chain[0] })
})

test('answers for credentials', async () => {
  await pushImage(image, guarded, 'pull/guarded:latest')
  const reference = `${guardedHost}/pull/guarded:latest`
  await using client = newClient()
  const asked: CredentialRequest[] = []
  const pull = (username: string) =>
    client.pull(reference, {
      credentials: async (request) => {
        asked.push(request)
        return username === '' ? undefined : { kind: 'basic', username, password: auth.password }
      },
    })
  await expect(client.pull(reference)).rejects.toThrow('401')
  await expect(pull('')).rejects.toThrow('authorization failed')
  await expect(pull('somebody')).rejects.toThrow('401')
  await pull(auth.user)
  expect(asked.length).toBeGreaterThanOrEqual(3)
  for (const request of asked) expect(request).toEqual({ host: guardedHost, reference, challenges: [] })
})

test('ends with the error of a credential source that fails', async () => {
  await using server = await servedTransfer()
  const failure = new Error('no keyring')
  const credentials = () => Promise.reject(failure)
  const from = { kind: 'registry', reference: `${guardedHost}/pull/guarded:latest`, credentials } as const
  const outcome = () => server.transfer.transfer(from, { kind: 'image', name: 'x' }).catch((error) => error)
  // containerd, when it is busy, may say of a stream that it has just acknowledged that it is not found.
  await expect.poll(outcome).toBe(failure)
  await expect.poll(() => server.session.openStreams).toBe(0)
})

test('ends with the error of a progress listener that throws', async () => {
  await using server = await servedTransfer()
  const failure = new Error('no terminal')
  const onProgress = () => {
    throw failure
  }
  const from = { kind: 'registry', reference: `${host}/pull/absent:latest` } as const
  const outcome = server.transfer.transfer(from, { kind: 'image', name: 'x' }, { onProgress })
  // Whichever comes first: the transfer fails as well.
  await expect(outcome).rejects.toThrow(/no terminal|not found/)
  await expect.poll(() => server.session.openStreams).toBe(0)
})

test('ends with its streams when it is aborted, whatever the registry does', async () => {
  await using silent = await startFaultServer()
  silent.on('HEAD', '/v2/x/manifests/y', { fault: 'silent' })
  await using front = await startTlsFront(silent.host, certificate)
  await using server = await servedTransfer()
  const controller = new AbortController()
  const reason = new Error('the caller gave up')
  const credentials = async () => undefined
  const from = { kind: 'registry', reference: `${front.host}/x:y`, credentials } as const
  const options = { onProgress: () => {}, signal: controller.signal }
  let outcome: Promise<unknown> | undefined
  const begin = () => {
    outcome = server.transfer.transfer(from, { kind: 'image', name: 'x' }, options).catch((error) => error)
    // As above: a busy containerd may not find a stream.
    void outcome.then((error) => errorCode(error) === 'not_found' && begin())
  }
  begin()
  await expect.poll(() => silent.requests.length).toBeGreaterThan(0)
  expect(server.session.openStreams).toBe(3)
  controller.abort(reason)
  expect(await outcome).toBe(reason)
  await expect.poll(() => server.session.openStreams).toBe(0)
})

test('says what a registry does not have', async () => {
  await using client = newClient()
  expect(await client.pull(`${host}/pull/absent:latest`).then(() => 'pulled', errorCode)).toBe('not_found')
})

test('pushes an image, and tags it', async () => {
  await pushImage(image, registry, 'push/from:latest')
  await using client = newClient()
  const { target } = await client.pull(`${host}/push/from:latest`)
  const reference = `${host}/push/to:latest`
  await client.tag(`${host}/push/from:latest`, reference)
  const steps: TransferProgress[] = []
  await client.push(reference, { onProgress: (step) => void steps.push(step) })
  expect(steps.at(0)?.event).toContain('Pushing')
  await client.images.delete(reference)
  expect(await client.pull(reference)).toMatchObject({ name: reference, target })
  await client.push(reference, { reference: `${host}/push/elsewhere:1` })
  expect(await client.pull(`${host}/push/elsewhere:1`)).toMatchObject({ target })
})
