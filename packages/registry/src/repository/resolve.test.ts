import { digestOf, mediaTypes } from '@nsbox/oci'
import { describe, expect, it } from 'vitest'
import { failure } from '../testing/failure.ts'
import {
  described,
  manifest,
  registry,
  remote,
  server,
  tagPath,
  useFaultServer,
} from '../testing/fault-registry.ts'

const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('layer'), size: 5 }
const manifestHeaders = { 'content-type': described.mediaType, 'docker-content-digest': described.digest }

useFaultServer()

describe('a tag', () => {
  it('is resolved by HEAD alone where that tells everything', async () => {
    server.on('HEAD', tagPath, { headers: manifestHeaders, body: manifest })
    expect(await remote().resolve()).toEqual(described)
    expect(server.requests).toMatchObject([{ method: 'HEAD' }])
    expect(server.requests[0]!.headers.accept).toContain(mediaTypes.ociIndex)
  })

  const { 'docker-content-digest': _, ...withoutDigest } = manifestHeaders
  it.each([
    ['without a digest', { headers: withoutDigest, body: manifest }],
    [
      'with a digest that is none',
      { headers: { ...manifestHeaders, 'docker-content-digest': 'x' }, body: manifest },
    ],
    [
      'with a type that says nothing',
      { headers: { ...manifestHeaders, 'content-type': 'text/plain' }, body: manifest },
    ],
    ['with status 405', { status: 405 }],
    ['with status 501', { status: 501 }],
    ['with status 400', { status: 400 }],
  ])('is resolved by GET after a HEAD %s', async (_, head) => {
    server.on('HEAD', tagPath, head)
    server.on('GET', tagPath, { headers: { 'content-type': 'application/octet-stream' }, body: manifest })
    expect(await remote().resolve()).toEqual(described)
  })

  it('B02 whose manifest has 5 MiB is refused, by its announcement and by its bytes', async () => {
    const huge = Buffer.alloc(5 * 1024 * 1024, ' ')
    server.on('HEAD', tagPath, { headers: manifestHeaders, body: huge })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
    server.on('HEAD', tagPath, { status: 405 })
    server.on('GET', tagPath, { headers: manifestHeaders, body: huge })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('B04 is not resolved to what the server says the digest is', async () => {
    server.on('HEAD', tagPath, { status: 405 })
    const wrong = { ...manifestHeaders, 'docker-content-digest': layer.digest }
    server.on('GET', tagPath, { headers: wrong, body: manifest })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
    server.on('HEAD', tagPath, {
      headers: { ...wrong, 'docker-content-digest': 'sha256:../../x' },
      body: manifest,
    })
    server.on('GET', tagPath, { headers: manifestHeaders, body: manifest })
    expect((await remote().resolve()).digest).toBe(described.digest)
  })

  it('B04 of a digest is refused if the answer is for another', async () => {
    const pinned = registry.remote(`${server.host}/app@${layer.digest}`)
    const path = `/v2/app/manifests/${layer.digest}`
    server.on('HEAD', path, { headers: manifestHeaders, body: manifest })
    expect(await failure(pinned.resolve())).toMatchObject({ code: 'invalid_argument' })
    server.on('HEAD', path, { status: 405 })
    server.on('GET', path, { body: manifest })
    expect(await failure(pinned.resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('B01 of a document that reads as an index and as a manifest is refused, whatever type it comes with', async () => {
    const both = JSON.stringify({ schemaVersion: 2, manifests: [], layers: [], config: {} })
    server.on('HEAD', tagPath, { status: 405 })
    server.on('GET', tagPath, { body: both })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('that is missing from the reference, as is a digest, is refused', async () => {
    const bare = registry.remote(`${server.host}/app`)
    expect(await failure(bare.resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('C10 cannot leave the repository or add to the request', () => {
    for (const name of [
      'a/..%2f..%2fb:1',
      'a/../b:1',
      'app:1\r\nX: y',
      'app:1?x=y',
      'app:1#x',
      'APP:1',
      'app@md5:00',
    ])
      expect(() => registry.remote(`${server.host}/${name}`), name).toThrow(/invalid reference/)
  })
})
