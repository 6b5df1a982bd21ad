import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { type TransferSubject, transferSuite } from '@nsbox/compliance/transfer'
import { isNotFound } from '@nsbox/errors'
import { type Platform, parseDigest } from '@nsbox/oci'
import { createRegistry } from '@nsbox/registry'
import { start } from '@nsbox/server'
import {
  buildImage,
  filesLayer,
  pushImage,
  type Registry,
  randomLayer,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'

describeWith({ programs: ['docker-registry', 'skopeo'] }, 'images between a registry and a store', () => {
  const resources = new AsyncDisposableStack()
  let registry: Registry
  let served: Omit<TransferSubject['registry'], 'free' | 'digestOf'>
  let tests = 0

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
    const { path } = resources.use(await tempDir('nsbox-layouts'))
    const single = await buildImage(join(path, 'single'), { layers: [randomLayer('transfer', 100_000)] })
    const platforms: [Platform, Platform] = [
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 's390x' },
    ]
    const images = platforms.map((platform) => {
      return { platform, layers: [filesLayer({ name: platform.architecture })] }
    })
    const index = await buildImage(join(path, 'index'), images)
    served = {
      reference: (await pushImage(single, registry, 'suite/single:1')).reference,
      digest: parseDigest(single.target.digest),
      index: (await pushImage(index, registry, 'suite/index:1')).reference,
      platforms,
      manifests: index.manifests.map(({ manifest }) => parseDigest(manifest.digest)) as never,
    }
  })

  afterAll(() => resources.disposeAsync())

  transferSuite('remote, of nsbox-server', async () => {
    await using opening = new AsyncDisposableStack()
    const { path } = opening.use(await tempDir('nsbox-transfer'))
    const server = opening.use(await start({ root: path, durability: 'relaxed' }))
    const client = opening.use(connect({ address: server.address, namespace: 'suite' }))
    const remotes = opening.use(createRegistry())
    const owned = opening.move()
    return {
      transferrer: client.transfer,
      images: client.images,
      content: client.content,
      registry: {
        ...served,
        free: `${registry.host}/suite/free-${tests++}:1`,
        digestOf: async (reference) => {
          try {
            return (await remotes.remote(reference).resolve()).digest
          } catch (error) {
            if (isNotFound(error)) return undefined
            throw error
          }
        },
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  })
})
