import { buildImage, busyboxLayer, pushImage, randomLayer, run, startRegistry, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { program, startServer, type TestServer } from './programs.ts'

describeWith({ root: true, programs: ['docker-registry', 'skopeo'] }, 'an image from a real registry', () => {
  const resources = new AsyncDisposableStack()
  let server: TestServer
  let registry: Awaited<ReturnType<typeof startRegistry>>
  let ref: string
  let blobs: string[]

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
    const layout = resources.use(await tempDir('nsbox-layout')).path
    const image = await buildImage(layout, { layers: [await busyboxLayer(), randomLayer(7, 300_000)] })
    ref = (await pushImage(image, registry, 'library/first-light:1')).reference
    blobs = image.manifests
      .flatMap(({ manifest, config, layers }) => [manifest, config, ...layers])
      .map((d) => d.digest)
    server = resources.use(await startServer())
  })

  afterAll(() => resources.disposeAsync())

  /** Each command is a process, as it is for a user. */
  const client = (name: 'ctr' | 'dist') => (args: readonly string[], env?: Record<string, string>) =>
    run(program(name), args, { env: { CONTAINERD_ADDRESS: server.address, ...env } })
  const [ctr, dist] = [client('ctr'), client('dist')]

  it('is pulled into a namespace, shared with a second without a download, and removed from one', async () => {
    const foo = { CONTAINERD_NAMESPACE: 'foo' }

    expect(await ctr(['namespaces', 'create', 'foo', 'mylabel=bar'])).toMatchObject({
      code: 0,
      stdout: '',
    })
    const listed = await ctr(['namespaces', 'ls'])
    expect(listed.stdout).toBe('NAME LABELS\nfoo  mylabel=bar\n')

    expect(await dist(['pull', ref])).toMatchObject({ code: 0 })
    const images = (await dist(['images', 'ls'])).stdout.split('\n').map((line) => line.split(/ +/))
    expect(images[0]?.slice(0, 4)).toEqual(['REF', 'TYPE', 'DIGEST', 'SIZE'])
    expect(images[1]?.[0]).toBe(ref)
    expect((await dist(['images', 'ls', '-q'], foo)).stdout).toBe('')

    const before = (await registry.accessLog()).length
    expect(await dist(['pull', ref], foo)).toMatchObject({ code: 0 })
    const requests = (await registry.accessLog()).slice(before)
    // Nothing but the question where the tag points; an answer to HEAD has no body.
    expect(requests.map(({ method }) => method)).toEqual(['HEAD'])
    expect((await dist(['images', 'ls', '-q'], foo)).stdout).toBe(`${ref}\n`)

    expect(await dist(['images', 'rm', '--sync', ref], foo)).toMatchObject({
      code: 0,
      stdout: `${ref}\n`,
    })
    expect((await dist(['images', 'ls', '-q'])).stdout).toBe(`${ref}\n`)
    for (const digest of blobs) {
      const { code, stdoutBytes } = await dist(['content', 'get', digest])
      expect({ digest, code, empty: stdoutBytes.byteLength === 0 }).toEqual({ digest, code: 0, empty: false })
    }

    expect(await ctr(['namespaces', 'rm', 'foo'])).toMatchObject({ code: 0, stdout: 'foo\n' })
    const refused = await ctr(['namespaces', 'rm', 'default'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(
      'ctr: unable to delete default: namespace "default" must be empty, but it still has images, blobs, ' +
        'snapshots on "overlayfs" snapshotter: failed precondition',
    )
  })
})
