import { containerStoreSuite } from '@nsbox/compliance/containers'
import { contentStoreSuite } from '@nsbox/compliance/content'
import { differSuite } from '@nsbox/compliance/diff'
import { imageStoreSuite } from '@nsbox/compliance/images'
import { leaseStoreSuite } from '@nsbox/compliance/leases'
import { namespaceStoreSuite } from '@nsbox/compliance/namespaces'
import { snapshotterSuite } from '@nsbox/compliance/snapshots'
import { withTempMount } from '@nsbox/mount'
import { digestOf } from '@nsbox/oci'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { type Client, type ClientView, connect } from './client.ts'

let containerd: Containerd
let namespaces = 0

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

/** A client in a namespace of its own. */
function newClient(): Client {
  return connect({ address: containerd.address, namespace: `suite-${namespaces++}` })
}

/** Makes a subject that ends with its client. */
async function subject<T>(of: (client: Client) => T): Promise<T & AsyncDisposable> {
  const client = newClient()
  return { ...of(client), [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
}

/** The same with a lease: what none holds may be collected at any time. */
async function leasedSubject<T>(of: (client: ClientView) => T): Promise<T & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const client = stack.use(newClient())
  const lease = stack.use(await client.createLease())
  const owned = stack.move()
  return { ...of(lease.client), [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

// The README lists what the claims mean.

contentStoreSuite('containerd 1.7', () => leasedSubject((client) => ({ store: client.content })), {
  sha512: false,
  totalMismatch: undefined,
  expectedInStatus: false,
  abortEndsWriters: false,
  labelCountLimit: false,
})

imageStoreSuite('containerd 1.7', () => subject((client) => ({ store: client.images })), {
  labelCountLimit: false,
})

containerStoreSuite('containerd 1.7', () => subject((client) => ({ store: client.containers })), {
  demandsSpec: false,
  extensionRemoval: false,
  limits: false,
})

leaseStoreSuite('containerd 1.7', () => subject((client) => ({ store: client.leases })), {
  labelRules: false,
})

namespaceStoreSuite(
  'containerd 1.7',
  () =>
    subject((client) => ({
      store: client.namespaces,
      fill: async (name: string) => {
        const target = { mediaType: 'a/b', digest: digestOf('filling'), size: 7 }
        await client.withNamespace(name).images.create({ name: 'filling', target })
      },
      empty: (name: string) => client.withNamespace(name).images.delete('filling', { sync: true }),
    })),
  { knowsMissing: false, labelCountLimit: false, everyName: false, longLabelUpdate: 'unknown' },
)

for (const snapshotter of ['overlayfs', 'native']) {
  snapshotterSuite(
    `containerd 1.7, ${snapshotter}`,
    () =>
      leasedSubject((client) => ({
        snapshotter: client.snapshotter(snapshotter),
        withMounts: withTempMount,
      })),
    {
      parentAtCommit: false,
      rootDirectory: snapshotter === 'native',
      usageAlone: snapshotter === 'overlayfs',
      parentPresence: false,
      filterCode: false,
      commitCode: snapshotter === 'overlayfs',
      cleanup: false,
      labelCountLimit: false,
    },
  )
}

differSuite(
  'containerd 1.7',
  () =>
    leasedSubject((client) => ({
      applier: client.applier,
      comparer: client.comparer,
      content: client.content,
      snapshotter: client.snapshotter(),
      withMounts: withTempMount,
    })),
  {
    fractions: false,
    rootAttributes: false,
    sameBytes: false,
    allMediaTypes: false,
    labelsOfExisting: false,
    checkedLayers: false,
    refusesNames: false,
  },
)
