import { type Descriptor, digestOf, mediaTypes } from '@nsbox/oci'
import { startFaultServer, startRegistry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, it } from 'vitest'
import { createRegistry } from '../registry.ts'
import { failure } from '../testing/failure.ts'
import { described, manifest, registry, remote, server, useFaultServer } from '../testing/fault-registry.ts'
import type { RegistryRemote } from './remote-repository.ts'

const signature = 'application/vnd.example.signature'
const empty = { mediaType: mediaTypes.ociEmpty, digest: digestOf('{}'), size: 2 }

/** A manifest of nothing but what it says of its subject. */
function artifact(name: string, fields: object = {}): { bytes: Buffer; descriptor: Descriptor } {
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: signature,
    config: empty,
    layers: [],
    subject: described,
    annotations: { name },
    ...fields,
  }
  const bytes = Buffer.from(JSON.stringify(document))
  return {
    bytes,
    descriptor: { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length },
  }
}

const push = (to: RegistryRemote, { bytes, descriptor }: ReturnType<typeof artifact>) =>
  to.push(descriptor, async function* () {
    yield bytes
  })

/** What a list says of an artifact. */
const entry = (of: ReturnType<typeof artifact>, name: string, artifactType = signature) => {
  return { ...of.descriptor, artifactType, annotations: { name } }
}
const tag = `sha256-${described.digest.slice('sha256:'.length)}`
const listPath = `/v2/app/referrers/${described.digest}`
const manifestsPath = '/v2/app/manifests'
const index = (manifests: readonly Descriptor[], fields: object = {}) =>
  JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...fields })
const isIndex = { 'content-type': mediaTypes.ociIndex }

describeWith({ programs: ['docker-registry'] }, 'referrers in a registry that does not list them', () => {
  it('are listed by a tag, whether or not their subject has come, once each, and by type', async () => {
    await using peer = await startRegistry()
    await using client = createRegistry()
    const to = (digest: string) => client.remote(`${peer.host}/some/app@${digest}`)
    const subject = to(described.digest)
    expect(await subject.referrers(described.digest)).toEqual([])
    await subject.push(empty, async function* () {
      yield Buffer.from('{}')
    })
    const artifacts = ['one', 'two', 'three'].map((name) => artifact(name))
    const other = artifact('other', { artifactType: undefined })
    // At once, as the children of an index are pushed.
    await Promise.all([...artifacts, other].map((each) => push(to(each.descriptor.digest), each)))
    const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 }
    await subject.push(config, async function* () {
      yield Buffer.from('{}')
    })
    await subject.push(described, async function* () {
      yield Buffer.from(manifest)
    })
    expect(await push(to(other.descriptor.digest), other)).toBe('pushed')
    const found = await subject.referrers(described.digest)
    expect(found).toHaveLength(4)
    expect(found).toEqual(
      expect.arrayContaining([entry(artifacts[0]!, 'one'), entry(other, 'other', mediaTypes.ociEmpty)]),
    )
    const signatures = await subject.referrers(described.digest, { artifactType: signature })
    expect(signatures.map(({ annotations }) => annotations?.name).sort()).toEqual(['one', 'three', 'two'])
    const listed = await client.remote(`${peer.host}/some/app:${tag}`).resolve()
    expect(listed.mediaType).toBe(mediaTypes.ociIndex)
  })
})

describe('referrers', () => {
  useFaultServer()
  const puts = () => server.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path)
  const one = artifact('one')
  const onePath = `${manifestsPath}/${one.descriptor.digest}`
  const lengths = () =>
    server.requests
      .filter(({ method }) => method === 'PUT')
      .map(({ headers }) => Number(headers['content-length']))
  const list = (...listed: Descriptor[]) => ({ body: index(listed), headers: isIndex })
  const toOne = () => registry.remote(`${server.host}/app@${one.descriptor.digest}`)

  it('are left to a registry that says that it has listed them', async () => {
    server.on('PUT', onePath, { status: 201, headers: { 'oci-subject': described.digest } })
    expect(await push(toOne(), one)).toBe('pushed')
    expect(server.requests.map(({ method }) => method)).toEqual(['PUT'])
  })

  it('are listed by the tag if the registry says that it has listed those of something else', async () => {
    server.on('PUT', onePath, { status: 201, headers: { 'oci-subject': digestOf('else') } })
    server.on('GET', `${manifestsPath}/${tag}`, { status: 404 }, list(entry(one, 'one')))
    server.on('PUT', `${manifestsPath}/${tag}`, { status: 201 })
    expect(await push(toOne(), one)).toBe('pushed')
    expect(puts()).toEqual([onePath, `${manifestsPath}/${tag}`])
  })

  it('that others list at the same time are kept by a registry that knows conditions', async () => {
    const others = artifact('other')
    server.on('PUT', onePath, { status: 201 })
    const state = (etag: string, ...listed: Descriptor[]) => {
      return { body: index(listed), headers: { ...isIndex, etag } }
    }
    const both = state('"3"', others.descriptor, entry(one, 'one'))
    server.on('GET', `${manifestsPath}/${tag}`, state('"1"'), state('"2"', others.descriptor), both)
    server.on('PUT', `${manifestsPath}/${tag}`, { status: 412 }, { status: 201 })
    await push(toOne(), one)
    const conditions = server.requests
      .filter(({ path }) => path.endsWith(tag))
      .map(({ headers }) => headers['if-match'])
    expect(conditions).toEqual([undefined, '"1"', undefined, '"2"', undefined])
    expect(lengths().at(-1)).toBe(index([others.descriptor, entry(one, 'one')]).length)
  })

  it('that another client has dropped from the list, since it had read it before, are added once more', async () => {
    const others = artifact('other')
    server.on('PUT', onePath, { status: 201 })
    const replaced = list(others.descriptor)
    server.on(
      'GET',
      `${manifestsPath}/${tag}`,
      { status: 404 },
      replaced,
      list(others.descriptor, entry(one, 'one')),
    )
    server.on('PUT', `${manifestsPath}/${tag}`, { status: 201 })
    await push(toOne(), one)
    expect(lengths().slice(1)).toEqual([
      index([entry(one, 'one')]).length,
      index([others.descriptor, entry(one, 'one')]).length,
    ])

    server.on('GET', `${manifestsPath}/${tag}`, replaced)
    expect(await failure(push(toOne(), one))).toMatchObject({ code: 'aborted' })
  })

  it('are not pushed with a document that is none', async () => {
    const broken = artifact('broken', { subject: { mediaType: 'x' } })
    expect(await failure(push(remote(), broken))).toMatchObject({ code: 'invalid_argument' })
    const short = { ...one, descriptor: { ...one.descriptor, size: one.bytes.length + 1 } }
    expect(await failure(push(remote(), short))).toMatchObject({ code: 'failed_precondition' })
    expect(server.requests).toEqual([])
  })

  it('of a registry that lists them are taken from all pages, once each, filtered or not', async () => {
    const two = artifact('two', { artifactType: 'application/vnd.example.other' })
    const listed = [entry(one, 'one'), entry(two, 'two', 'application/vnd.example.other')]
    server.on('GET', listPath, {
      body: index([listed[0]!]),
      headers: { ...isIndex, link: '<referrers-2>; rel="next"' },
    })
    server.on('GET', '/v2/app/referrers/referrers-2', { body: index(listed), headers: isIndex })
    expect(await remote().referrers(described.digest)).toEqual(listed)
    expect(await remote().referrers(described.digest, { artifactType: signature })).toEqual([listed[0]])
    expect(server.requests[2]!.path).toBe(`${listPath}?artifactType=${encodeURIComponent(signature)}`)
  })

  it('are looked for by the tag where a page of another kind is the answer', async () => {
    server.on('GET', listPath, { body: '<html>', headers: { 'content-type': 'text/html' } })
    server.on('GET', `${manifestsPath}/${tag}`, { body: index([one.descriptor]), headers: isIndex })
    expect(await remote().referrers(described.digest)).toEqual([one.descriptor])
  })

  it('C04 are not asked for at another origin, and not without end', async () => {
    await using elsewhere = await startFaultServer()
    const page = (link: string) => ({ body: index([]), headers: { ...isIndex, link } })
    server.on('GET', listPath, page(`<http://${elsewhere.host}/next>; rel="next"`))
    expect(await failure(remote().referrers(described.digest))).toMatchObject({ code: 'failed_precondition' })
    expect(elsewhere.requests).toEqual([])
    server.on('GET', listPath, page('<>; rel=next'))
    expect(await failure(remote().referrers(described.digest))).toMatchObject({ code: 'resource_exhausted' })
    expect(server.requests).toHaveLength(101)
    server.on('GET', listPath, page('/elsewhere'))
    expect(await failure(remote().referrers(described.digest))).toMatchObject({ code: 'invalid_argument' })
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['a manifest', manifest],
    ['an entry that is none', index([{ ...one.descriptor, size: -1 }])],
  ])('are not taken from what is %s', async (_, body) => {
    server.on('GET', listPath, { body, headers: isIndex })
    expect(await failure(remote().referrers(described.digest))).toMatchObject({ code: 'invalid_argument' })
    server.on('GET', listPath, { status: 404 })
    server.on('GET', `${manifestsPath}/${tag}`, { body, headers: isIndex })
    expect(await failure(remote().referrers(described.digest))).toMatchObject({ code: 'invalid_argument' })
  })
})
