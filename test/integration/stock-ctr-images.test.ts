import { buffer } from 'node:stream/consumers'
import {
  type Descriptor,
  digestHex,
  digestOf,
  imageLayoutVersion,
  imageNameAnnotation,
  mediaTypes,
  parseDigest,
} from '@nsbox/oci'
import {
  type BuiltImage,
  buildImage,
  busyboxLayer,
  type PushedImage,
  pushImage,
  type Registry,
  type RunOptions,
  randomLayer,
  startRegistry,
  tar,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

describeWith({ programs: ['ctr', 'docker-registry', 'skopeo'] }, 'stock ctr 1.7 with images', () => {
  const resources = new AsyncDisposableStack()
  let registry: Registry
  let built: BuiltImage
  let image: PushedImage
  let server: TestServer
  let count = 0
  let namespace: string

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
    const layout = resources.use(await tempDir('nsbox-layout')).path
    built = await buildImage(layout, { layers: [await busyboxLayer(), randomLayer(7, 3_000_000)] })
    image = await pushImage(built, registry, 'library/stock:1')
    server = resources.use(await startServer())
  })
  afterAll(() => resources.disposeAsync())
  beforeEach(() => {
    namespace = `n${count++}`
  })

  async function ctr(args: string[], options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await server.stockCtr(['-n', namespace, ...args], options)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }

  it('pulls by a transfer, with progress', async () => {
    const { reference } = image
    const drawn = [/manifest \([0-9a-f]{12}\)\s+complete/, /layer \([0-9a-f]{12}\)\s+complete/, /saved/]
    const pull = async () => {
      await ctr(['images', 'rm', '--sync', reference])
      return await ctr(['images', 'pull', '--local=false', '--plain-http', reference])
    }
    // Stock ctr ends as soon as the call is answered, and may not have drawn what it was told just before.
    const undrawn = async () => {
      const output = await pull()
      return drawn.filter((pattern) => !pattern.test(output))
    }
    await expect.poll(undrawn).toEqual([])
    expect(await ctr(['images', 'ls', '-q'])).toBe(`${reference}\n`)
    // What held the pull meanwhile is gone.
    expect(await ctr(['leases', 'ls', '-q'])).toBe('')
  })

  it('fetches content on its own account', async () => {
    const { reference } = image
    await ctr(['content', 'fetch', '--plain-http', reference])
    const listed = await ctr(['images', 'ls'])
    expect(listed).toContain(`${reference} application/vnd.oci.image.manifest.v1+json ${image.digest}`)
    const object = await ctr(['content', 'fetch-object', '--plain-http', reference])
    expect(JSON.parse(object).layers).toHaveLength(2)
  })

  it('labels, tags, checks and removes images', async () => {
    const { reference } = image
    await ctr(['images', 'pull', '--local=false', '--plain-http', reference])
    await ctr(['images', 'tag', reference, 'other:1'])
    await ctr(['images', 'label', 'other:1', 'a=b'])
    expect(await ctr(['images', 'ls', 'name==other:1'])).toMatch(/other:1 .* a=b/)
    expect(await ctr(['images', 'check'])).toMatch(/other:1\s.*\scomplete \(3\/3\)\s.*\sfalse/)
    await ctr(['images', 'rm', '--sync', 'other:1'])
    expect(await ctr(['content', 'ls', '-q'])).not.toBe('')
    await ctr(['images', 'rm', '--sync', reference])
    expect(await ctr(['content', 'ls', '-q'])).toBe('')
    expect((await server.stockCtr(['namespaces', 'rm', namespace])).stdout).toBe(`${namespace}\n`)
  })

  it('pushes by a transfer and on its own account', async () => {
    const { reference } = image
    await ctr(['images', 'pull', '--local=false', '--plain-http', reference])
    for (const [flag, tag] of [
      ['--local=false', '2'],
      ['--local=true', '3'],
    ] as const) {
      const target = `${registry.host}/library/pushed:${tag}`
      await ctr(['images', 'push', flag, '--plain-http', target, reference])
      const answer = await fetch(`http://${registry.host}/v2/library/pushed/manifests/${tag}`, {
        method: 'HEAD',
        headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
      })
      expect(answer.headers.get('docker-content-digest')).toBe(image.digest)
    }
  })

  it('pushes by a transfer what it mounts from elsewhere, and what dist lists as a referrer of it', async () => {
    const { reference } = image
    const target = `${registry.host}/library/signed`
    await ctr(['images', 'pull', '--local=false', '--plain-http', reference])
    await ctr(['images', 'push', '--local=false', '--plain-http', `${target}:1`, reference])
    const sent = (await registry.accessLog()).filter(({ method, path }) => {
      return method === 'PUT' && path.startsWith('/v2/library/signed/')
    })
    expect(sent.map(({ path }) => path)).toEqual(['/v2/library/signed/manifests/1'])

    const signature = await signatureOf({ ...built.target, digest: parseDigest(built.target.digest) })
    await ctr(['images', 'import', '--local=false', '--no-unpack', '-'], { input: signature.archive })
    await ctr(['images', 'push', '--local=false', '--plain-http', `${target}:signature`, signature.name])
    const dist = async (...args: string[]) => {
      const { code, stdout, stderr } = await server.dist(['-n', namespace, ...args])
      expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
      return stdout
    }
    const referrers = ['referrers', '--plain-http', `${target}:1`]
    expect(await dist(...referrers)).toMatch(/ application\/vnd\.example\.signature +\d+\.\d B +by=me\n$/)
    const [listed] = JSON.parse(await dist(...referrers, '--json', '--artifact-type', signature.type))
    expect(listed).toMatchObject({ digest: signature.digest, artifactType: signature.type })
    expect(await dist(...referrers, '--artifact-type', 'application/vnd.example.other', '-q')).toBe('')
  })

  it('C06 answers a registry that asks for credentials, by the stream and without telling secrets', async () => {
    const auth = { user: 'someone', password: 'secret' }
    const guarded = resources.use(await startRegistry({ auth }))
    const layout = resources.use(await tempDir('nsbox-layout')).path
    const built = await buildImage(layout, { layers: [randomLayer(9, 1000)] })
    const { reference } = await pushImage(built, guarded, 'library/guarded:1')
    const pull = (user: string) => [
      ...['images', 'pull', '--local=false', '--plain-http', '--user', user],
      reference,
    ]
    await ctr(pull('someone:secret'))
    expect(await ctr(['images', 'ls', '-q'])).toBe(`${reference}\n`)
    const wrong = await server.stockCtr(['-n', `${namespace}x`, ...pull('someone:wrong')])
    expect(wrong.code).toBe(1)
    expect(wrong.stderr + server.process.output).not.toMatch(/secret|someone:wrong/)
  })
})

/** An archive of an artifact that refers to an image. */
async function signatureOf(subject: Descriptor) {
  const type = 'application/vnd.example.signature'
  const described = (mediaType: string, bytes: Buffer) => {
    return { mediaType, digest: digestOf(bytes), size: bytes.length }
  }
  const config = Buffer.from('{}')
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: type,
      config: described(mediaTypes.ociEmpty, config),
      layers: [],
      subject,
      annotations: { by: 'me' },
    }),
  )
  const name = 'example.com/signature:1'
  const target = described(mediaTypes.ociManifest, manifest)
  const named = { ...target, annotations: { [imageNameAnnotation]: name } }
  const archive = await buffer(
    tar([
      { name: 'oci-layout', content: JSON.stringify({ imageLayoutVersion }) },
      { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests: [named] }) },
      ...[config, manifest].map((content) => {
        return { name: `blobs/sha256/${digestHex(digestOf(content))}`, content }
      }),
    ]),
  )
  return { name, type, digest: target.digest, archive }
}
