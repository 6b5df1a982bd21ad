import { imageStoreSuite } from '@nsbox/core/images/testsuite'
import { leaseStoreSuite } from '@nsbox/core/leases/testsuite'
import { namespaceStoreSuite } from '@nsbox/namespaces/testsuite'
import { digestOf } from '@nsbox/oci'
import { type Containerd, startContainerd } from '@nsbox/testing'
import { afterAll, beforeAll } from 'vitest'
import { type Client, connect } from './client.ts'

let containerd: Containerd
let tests = 0

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

function newClient(): Client {
  return connect({ address: containerd.address, namespace: `stores-${tests++}` })
}

imageStoreSuite(
  'remote, of containerd 1.7',
  async () => {
    const client = newClient()
    return { store: client.images, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
  },
  { labelCountLimit: false },
)

leaseStoreSuite(
  'remote, of containerd 1.7',
  async () => {
    const client = newClient()
    return { store: client.leases, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
  },
  { labelRules: false },
)

namespaceStoreSuite(
  'remote, of containerd 1.7',
  async () => {
    const client = newClient()
    const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('x'), size: 1 }
    return {
      store: client.namespaces,
      fill: async (name) => void (await client.withNamespace(name).images.create({ name: 'x', target })),
      empty: (name) => client.withNamespace(name).images.delete('x'),
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    }
  },
  { knowsMissing: false, labelCountLimit: false, everyName: false, longLabelUpdate: 'unknown' },
)
