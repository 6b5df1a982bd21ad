import { type Descriptor, digestOf, mediaTypes } from '@nsbox/oci'
import { type FaultServer, seededBytes, startFaultServer } from '@nsbox/testing'
import { afterEach, beforeEach } from 'vitest'
import { createRegistry, type Registry, type RegistryOptions } from '../registry.ts'

export const limits = { retryDelay: 1, attempts: 3 }

/** What the test under way has for itself. */
export let server: FaultServer
export let registry: Registry

/** Gives each test of a file a server that fails as it is told to, and a client. */
export function useFaultServer(): void {
  beforeEach(async () => {
    server = await startFaultServer()
    registry = createRegistry({ limits, defaultScheme: 'http' })
  })

  afterEach(async () => {
    await registry[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
}

/** Takes the server away, so that nobody listens where it was, and starts another one. */
export async function replaceServer(): Promise<void> {
  await server[Symbol.asyncDispose]()
  server = await startFaultServer()
}

export const remote = (client = registry) => client.remote(`${server.host}/app:1`)
export const withOptions = (options: RegistryOptions) => createRegistry({ defaultScheme: 'http', ...options })

/** A blob that the tests let the server deliver. */
export const content = Buffer.concat([...seededBytes('faults', 300_000)])
export const layer: Descriptor = {
  mediaType: mediaTypes.ociLayerGzip,
  digest: digestOf(content),
  size: content.length,
}
export const blobPath = `/v2/app/blobs/${layer.digest}`

/** A manifest of nothing, and its tag. */
export const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 },
  layers: [],
})
export const described = {
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(manifest),
  size: manifest.length,
}
export const tagPath = '/v2/app/manifests/1'
